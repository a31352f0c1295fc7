import { createReceiver, isWebhookError, type Receiver, type ReceiverOptions } from 'hooklayer'
import { afterAll } from 'vitest'
import type { Target } from '../contracts/adapter/harness.ts'
import type { Listening } from '../contracts/adapter/host.ts'
import { SECRETS } from '../contracts/adapter/secrets.ts'
import { recordingLogger } from '../deliveries.ts'

/** A receiver behind a server that a test has set up by hand. */
export interface Mount extends Target {
  readonly receiver: Receiver
  /** The bodies that its handler of every topic saw. */
  readonly handled: Uint8Array[]
  /** The codes that `onError` was told, in their order. */
  readonly errors: string[]
}

type Start = (receiver: Receiver) => Promise<Listening>
export type MountReceiver = (start: Start, options?: Partial<ReceiverOptions>) => Promise<Mount>

/** Mounts receivers whose servers are closed when the block of tests has ended. */
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

/** A receiver, and what its handler and `onError` see. */
export function createRecorder(options: Partial<ReceiverOptions> = {}): Omit<Mount, 'url'> {
  const { logger } = recordingLogger()
  const receiver = createReceiver({ secrets: SECRETS, logger, ...options })
  const handled: Uint8Array[] = []
  const errors: string[] = []
  receiver.on('*', ({ rawBody }) => void handled.push(rawBody))
  receiver.onError((error) => errors.push(isWebhookError(error) ? error.code : 'permanent'))
  return { receiver, handled, errors }
}
