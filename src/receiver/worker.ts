import { checkOptions, checkValue } from '../core/check-options.ts'
import type { Inbox, Worker } from '../core/inbox/inbox.ts'
import { defaultLogger, type Logger, safeLogger } from '../core/logger.ts'
import type { Receiver } from './receiver.ts'

export interface WorkerOptions {
  /** Whose handlers run. */
  readonly receiver: Pick<Receiver, 'handleStored'>
  readonly inbox: Inbox
  /** How many deliveries are handled at once. Default: 10. */
  readonly concurrency?: number
  /** How many of one topic at once, of those: `{ 'orders.place': 2 }`. Default: no limit of their own. */
  readonly concurrencyByTopic?: Readonly<Record<string, number>>
  /** After how many attempts a delivery becomes a dead letter. Default: 12, which takes some nine hours. */
  readonly attempts?: number
  /** Milliseconds before the second attempt, at most; they double with each further one. Default: 20,000. */
  readonly backoffMs?: number
  /** The most that is waited between two attempts. Default: 6 hours. */
  readonly maxBackoffMs?: number
  /** Default: warnings and errors to the console. */
  readonly logger?: Logger
}

const DEFAULTS = { concurrency: 10, attempts: 12, backoffMs: 20_000, maxBackoffMs: 6 * 60 * 60 * 1000 }

/**
 * Starts to handle what an inbox has stored: `createWorker({ receiver, inbox })`, in the process that receives or in any other
 * with the same handlers. What fails is tried again after exponentially growing, jittered pauses; what cannot be helped (a
 * `PermanentError`, a document that turns out invalid) becomes a dead letter at once.
 *
 * @throws TypeError if an option is unknown or out of range.
 */
export function createWorker(options: WorkerOptions): Worker {
  const { receiver, inbox, concurrencyByTopic = {}, logger: given, ...limits } = options
  const { concurrency, attempts, backoffMs, maxBackoffMs } = checkOptions('createWorker', limits, DEFAULTS)
  for (const [topic, limit] of Object.entries(concurrencyByTopic))
    checkValue('createWorker', `concurrencyByTopic['${topic}']`, limit)
  const logger = safeLogger(given ?? defaultLogger)
  return inbox.consume(receiver.handleStored, {
    concurrency,
    concurrencyByTopic,
    attempts,
    delayMs: (attempt) => Math.ceil(Math.min(maxBackoffMs, backoffMs * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)),
    onError: (cause) => logger.error('The inbox failed, and goes on.', { cause }),
  })
}
