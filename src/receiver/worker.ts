import { isSubscribed, matchesTopic } from '../commerce-layer/topic-patterns.ts'
import { checkMethods, checkOption, checkOptions, oneOf, positiveInteger } from '../core/check-options.ts'
import type { Inbox, Worker } from '../core/inbox/inbox.ts'
import { defaultLogger, type LoggerLike, safeLogger } from '../core/logger.ts'
import type { Receiver } from './receiver.ts'

export interface WorkerOptions {
  /**
   * The receiver whose handlers run, and whose observers and log are told of retries and dead letters. Deliveries of
   * topics without a handler wait for a worker that has one.
   */
  readonly receiver: Pick<Receiver, 'handleStored' | 'subscriptions'> & Partial<Pick<Receiver, 'notify'>>
  readonly inbox: Pick<Inbox, 'consume'>
  /** How many deliveries are handled at once. Default: 10. */
  readonly concurrency?: number | undefined
  /** How many of a topic are handled at once: `{ 'orders.place': 2 }`. Default: up to `concurrency`. */
  readonly concurrencyByTopic?: Readonly<Record<string, number>> | undefined
  /** After how many attempts a delivery becomes a dead letter. Default: 12, within about nine hours. */
  readonly attempts?: number | undefined
  /** The longest pause before the second attempt, in milliseconds. It doubles with each attempt. Default: 20,000. */
  readonly backoffMs?: number | undefined
  /** The longest pause between two attempts, in milliseconds. Default: 6 hours. */
  readonly maxBackoffMs?: number | undefined
  /**
   * Milliseconds after which an attempt is aborted: its signal is, and another delivery takes its place. It is retried
   * once the handler has ended. A handler may have its own limit. Default: 300,000 (5 minutes).
   */
  readonly attemptTimeoutMs?: number | undefined
  /**
   * Whether dead letters keep the texts of errors as they are. `masked` replaces what looks like an address, a long
   * number, a token or the query of a URL with `…`. Default: `masked`.
   */
  readonly causes?: 'masked' | 'full' | undefined
  /**
   * Anything with `warn` and `error`: pino, winston, bunyan, Nest's `Logger` and `console` get messages, fields and
   * errors as they take them. Default: warnings and errors to the console.
   */
  readonly logger?: LoggerLike | undefined
}

const RULES = {
  concurrency: positiveInteger(10),
  attempts: positiveInteger(12),
  backoffMs: positiveInteger(20_000),
  maxBackoffMs: positiveInteger(6 * 60 * 60 * 1000),
  attemptTimeoutMs: positiveInteger(5 * 60 * 1000),
  causes: oneOf('masked', 'full'),
}

/**
 * Starts a worker, which runs the handlers of a receiver for the deliveries in an inbox. It may run in the process that
 * receives, or in any other that has the same handlers.
 *
 * A failed delivery is tried again after pauses that grow exponentially, with jitter. A `PermanentError` or an invalid
 * document makes it a dead letter at once.
 *
 * @throws TypeError if an option is missing, unknown or out of range.
 * @example
 * const worker = createWorker({ receiver, inbox })
 * process.once('SIGTERM', () => worker.stop({ timeoutMs: 10_000 }))
 */
export function createWorker(options: WorkerOptions): Worker {
  const others = ['receiver', 'inbox', 'concurrencyByTopic', 'logger']
  const settings = checkOptions('createWorker', options, RULES, others)
  const { concurrency, attempts, backoffMs, maxBackoffMs, attemptTimeoutMs, causes } = settings
  const { receiver, inbox, concurrencyByTopic = {} } = options
  checkMethods('receiver', receiver, ['handleStored', 'subscriptions'])
  checkMethods('inbox', inbox, ['consume'])
  for (const [topic, limit] of Object.entries(concurrencyByTopic)) {
    checkOption('createWorker', `concurrencyByTopic['${topic}']`, limit, RULES.concurrency)
  }
  const logger = safeLogger(options.logger ?? defaultLogger)
  const limitAttempt = (topic: string) => {
    const subscriptions = receiver.subscriptions().filter(({ topics }) => matchesTopic(topics, topic))
    const limits = subscriptions.map((subscription) => subscription.attemptTimeoutMs ?? attemptTimeoutMs)
    return limits.length === 0 ? attemptTimeoutMs : Math.max(...limits)
  }
  return inbox.consume(receiver.handleStored, {
    concurrency,
    concurrencyByTopic,
    attempts,
    causes,
    delayMs: (attempt) => Math.ceil(Math.min(maxBackoffMs, backoffMs * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)),
    attemptTimeoutMs: limitAttempt,
    isHandled: (topic) => isSubscribed(receiver.subscriptions(), topic),
    onFailure: receiver.notify,
    onWarning: (message, topic) => logger.warn(`${topic}: ${message}`, { topic }),
    onError: (cause) => logger.error('The inbox failed. The worker goes on.', { cause }),
  })
}
