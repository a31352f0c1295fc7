import { createReceiver, type ErrorHandler, isWebhookError, type Receiver, type ReceiverOptions } from 'hooklayer'
import { afterAll } from 'vitest'
import type { Target } from '../contracts/adapter/harness.ts'
import type { Listening } from '../contracts/adapter/host.ts'
import { SECRETS } from '../contracts/adapter/secrets.ts'
import { recordingLogger } from '../deliveries.ts'

/** A receiver behind a server that a test has set up itself. */
export interface Mount extends Target {
  readonly receiver: Receiver
  /** The bodies that its handler of every topic got. */
  readonly handled: Uint8Array[]
  /** The codes that `onError` got, in order. */
  readonly errors: string[]
  /** The hints of these errors, each once. */
  readonly hints: Set<string>
}

type Start = (receiver: Receiver) => Promise<Listening>
export type MountReceiver = (start: Start, options?: Partial<ReceiverOptions>) => Promise<Mount>

/** Mounts receivers, and closes their servers after the block of tests. */
export function createMounts(): MountReceiver {
  const listening: Listening[] = []
  afterAll(async () => {
    await Promise.all(listening.map((one) => one.close()))
  })
  return async (start, options) => {
    const made = createRecorder(options)
    const one = await start(made.receiver)
    listening.push(one)
    return { ...made, url: one.url }
  }
}

/** A receiver that records what its handler and `onError` get. */
export function createRecorder(options: Partial<ReceiverOptions> = {}): Omit<Mount, 'url'> {
  const { logger } = recordingLogger()
  const receiver = createReceiver({ secrets: SECRETS, logger, ...options })
  const handled: Uint8Array[] = []
  const errors: string[] = []
  const hints = new Set<string>()
  receiver.on('*', ({ rawBody }) => void handled.push(rawBody))
  const note: ErrorHandler = (error) => {
    errors.push(isWebhookError(error) ? error.code : 'permanent')
    if (isWebhookError(error) && error.hint) hints.add(error.hint)
  }
  receiver.onError(note, { unverified: true })
  return { receiver, handled, errors, hints }
}
