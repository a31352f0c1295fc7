import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createReceiver, type ReceiverOptions } from 'hooklayer'
import { createRecorder, type Recorder, type RecorderOptions } from 'hooklayer/recorder'
import { onTestFinished } from 'vitest'
import { delivery, order, recordingLogger, SECRET, type SignedRequest, type TestResource } from '../deliveries.ts'

/** A path in a temporary folder, which is removed when the test has finished. */
export function createPath(name = 'records.db'): string {
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-recorder-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, name)
}

/** Where records can be kept, and the options for it. */
export const PLACES = [
  { place: 'in memory', options: (): RecorderOptions => ({}) },
  { place: 'in a file', options: (): RecorderOptions => ({ file: createPath() }) },
]

/** A receiver with a recorder, which is closed when the test has finished. */
export function createShop(options: RecorderOptions, receiverOptions: Partial<ReceiverOptions> = {}) {
  const { logger, lines, messages } = recordingLogger()
  const recorder: Recorder = createRecorder({ logger, ...options })
  onTestFinished(() => recorder.close())
  const receiver = createReceiver({ secrets: SECRET, logger, recorder, ...receiverOptions })
  return { recorder, receiver, lines, messages }
}

/** A delivery of an order with this number. */
export function placed(
  number: string,
  changes: Partial<TestResource> = {},
  included: TestResource[] = [],
): SignedRequest {
  const { attributes, ...others } = changes
  const id = `order${number}`
  return delivery('orders.place', { data: order({ id, attributes: { number, ...attributes }, ...others }), included })
}
