import { isTopic } from '../../commerce-layer/topic-patterns.ts'
import { findHandler, isPermanentError, toWebhookError } from '../errors.ts'
import type { ErrorCode } from '../outcomes.ts'
import { boundText } from '../plain-text.ts'
import type {
  DeliveryCounts,
  DeliveryError,
  DeliveryQuery,
  ErasedDeliveries,
  ListedDelivery,
  ResourceReference,
} from './listing.ts'

/** A verified delivery, as an inbox stores it until a worker has handled it. */
export interface StoredDelivery {
  /**
   * `delivery.id`: a fingerprint of topic and bytes. Of the bytes alone, if the topic may be made up: several topics
   * share a secret, and the topic is neither in the catalogue nor that of a handler.
   */
  readonly id: string
  readonly topic: string
  /** The signed bytes, exactly as they were received. */
  readonly body: Uint8Array
  readonly receivedAt: Date
  /**
   * `{type}/{id}` of the resource with `ordering: 'resource'`; else `undefined`. Deliveries of one group are handled
   * one after another.
   */
  readonly group: string | undefined
  /** Only with the option `verifyStored` of the receiver. Store it with the delivery, and hand it out again. */
  readonly signature?: string | undefined
  /** Only with an observer that traces. Store it with the delivery, and hand it out again. */
  readonly traceparent?: string | undefined
}

/**
 * A durable queue of verified deliveries: a driver of `hooklayer/inboxes/*`, or your own. The receiver stores
 * deliveries and workers handle them, in one process or in many.
 *
 * @see docs/durable-inbox.md
 */
export interface Inbox {
  /**
   * Stores a delivery. Resolves once it would survive a crash, and not before: `stored`, `duplicate` if the `id` was
   * stored within the retention window, `full` if the inbox has reached its limit. Rejects if it cannot guarantee that
   * the delivery is stored. After `full` or a rejection the receiver answers 503, and Commerce Layer retries.
   */
  put(delivery: StoredDelivery): Promise<'stored' | 'duplicate' | 'full'>
  /**
   * Starts a worker: calls `process` for each stored delivery, at most `concurrency` at once, until the worker is
   * stopped.
   */
  consume(process: ProcessDelivery, options: ConsumeOptions): Worker
  readonly deadLetters: DeadLetters
  /**
   * Lists the deliveries that were not handled yet, and dead letters, in the order in which they were stored. They are
   * read page by page during the iteration. Each comes at most once. Iterating again starts from the beginning.
   *
   * With `resource` or `search`, the bodies of deliveries are read and compared, a few at a time. Nothing of them is in
   * the list.
   *
   * @throws TypeError at once, if the query has an unknown member or a value of another type.
   * @example
   * for await (const { id, state, attempts, error } of inbox.list({ search: '1054' })) {
   *   console.log(id, state, attempts, error?.cause)
   * }
   * @see docs/durable-inbox.md
   */
  list(query?: DeliveryQuery): AsyncIterable<ListedDelivery>
  /**
   * Deletes the deliveries that carry a resource, as their own or as an included one: all but their ids, which stay
   * known until the retention window has passed. So a copy that is sent again does not run. One that is being handled
   * is left alone and counted as `running`: it is gone once it was handled. What is stored meanwhile may be missed.
   *
   * @throws TypeError if there is no `type` or no `id`.
   * @example
   * const erased = await inbox.erase({ type: 'customers', id: 'NrlYhpzLKA' })
   * @see docs/data.md
   */
  erase(resource: ResourceReference): Promise<ErasedDeliveries>
  statistics(): Promise<InboxStatistics>
  /** Stops the workers and closes the connections and files that the driver itself opened. */
  close(): Promise<void>
}

/**
 * Handles a stored delivery. Resolves when the delivery was handled. Rejects when the attempt failed: with a
 * `WebhookError` whose `retryable` says whether another attempt may succeed, or with any other error, which is retried.
 */
export type ProcessDelivery = (delivery: StoredDelivery, attempt: DeliveryAttempt) => Promise<void>

export interface DeliveryAttempt {
  /** Counted from 1. */
  readonly number: number
  /** After how many attempts the worker gives up. */
  readonly maxAttempts?: number | undefined
  /**
   * Aborted when the worker was stopped and its `timeoutMs` has passed, when the attempt takes longer than
   * `attemptTimeoutMs`, or when another worker has leased the delivery.
   */
  readonly signal: AbortSignal
}

export interface ConsumeOptions {
  /** How many deliveries are handled at once. */
  readonly concurrency: number
  /**
   * How many deliveries of one topic are handled at once, within `concurrency`. Topics that are absent have no limit of
   * their own.
   */
  readonly concurrencyByTopic: Readonly<Record<string, number>>
  /**
   * After how many failed attempts a delivery becomes a dead letter. Attempts that were {@link Failure.excused} are not
   * counted.
   */
  readonly attempts: number
  /** Milliseconds to wait after the attempt with this number has failed. */
  readonly delayMs: (attempt: number) => number
  /**
   * Milliseconds after which an attempt for a delivery of this topic is aborted and gives its place to another one. Its
   * lease goes on until the handler has ended. Default: without a limit.
   */
  readonly attemptTimeoutMs?: ((topic: string) => number) | undefined
  /**
   * Whether the worker has a handler for a topic. Deliveries without one are not leased: they wait for a worker that
   * has one. `process` rejects them with `NO_HANDLER`, so an inbox may ignore this. Default: all.
   */
  readonly isHandled?: ((topic: string) => boolean) | undefined
  /**
   * Whether texts of errors are stored as they are, or with what looks like personal data masked. Default: `masked`.
   */
  readonly causes?: 'masked' | 'full' | undefined
  /** Called with what the operator should know about deliveries of a topic: none has a handler, or one takes long. */
  readonly onWarning?: ((message: string, topic: string) => void) | undefined
  /** Called when the inbox knows that an attempt has failed and what comes next. */
  readonly onFailure?: ((failure: FailedDelivery) => void) | undefined
  /**
   * Called when the engine itself fails, which the worker survives by trying again, and when a delivery becomes a dead
   * letter with `WORKER_LOST` or `BODY_DAMAGED`.
   */
  readonly onError: (error: unknown) => void
}

/** What comes after an attempt that has failed: another one, or none. */
export interface FailedDelivery {
  readonly type: 'retry-scheduled' | 'dead'
  readonly topic: string
  /** Absent if it stands for several. */
  readonly id?: string | undefined
  readonly resource?: ResourceReference | undefined
  readonly error: DeliveryError
  /** The number of the attempt. */
  readonly attempt?: number | undefined
  readonly maxAttempts?: number | undefined
  /** Milliseconds until the next attempt. */
  readonly delayMs?: number | undefined
  /** How many deliveries have become dead letters. Default: 1. */
  readonly count?: number | undefined
}

export interface Worker {
  /**
   * Leases nothing more and waits for the running handlers. After `timeoutMs` milliseconds their signals are aborted,
   * and the deliveries that are still running are returned to the inbox for another worker. Default: waits without a
   * limit.
   */
  stop(options?: { readonly timeoutMs?: number | undefined }): Promise<void>
}

/** A delivery that is not retried any more: its attempts are used up, or its error was permanent. */
export interface DeadLetter {
  readonly id: string
  readonly topic: string
  readonly receivedAt: Date
  readonly failedAt: Date
  /** How many attempts were made. */
  readonly attempts: number
  /** After how many failed attempts it would have become one; absent if no worker has said so. */
  readonly maxAttempts?: number | undefined
  /**
   * Code and message of the error of the last attempt: a `WebhookError`'s code, or `PERMANENT` for a handler's
   * `PermanentError`. The message has at most 2,000 characters. The drivers of this package add `WORKER_LOST`, if the
   * worker was lost during the last attempt, and `NO_HANDLER`, if no worker had a handler for the topic. What the
   * engine did not keep as it was stored has `BODY_DAMAGED`, or `TOPIC_INVALID`.
   */
  readonly error: DeliveryError
  /** The resource of the document; absent if it cannot be read. */
  readonly resource?: ResourceReference | undefined
}

/**
 * Filters dead letters. Every field that is given must match, and one that is `undefined` counts as not given. Both
 * times are inclusive.
 */
export interface DeadLetterFilter {
  readonly topic?: string | undefined
  readonly code?: string | undefined
  readonly failedSince?: Date | undefined
  readonly failedUntil?: Date | undefined
}

/**
 * The dead letters to retry or to discard: the id of one, a filter with at least one field, or `'all'`. An empty filter
 * is refused, so that a filter with a misspelled or missing field does not select everything.
 *
 * @example
 * await inbox.deadLetters.retry({ topic: 'orders.place' })
 * await inbox.deadLetters.discard('all')
 */
export type DeadLetterSelection =
  | string
  | {
      [Field in keyof DeadLetterFilter]-?: Omit<DeadLetterFilter, Field> & {
        readonly [Given in Field]: NonNullable<DeadLetterFilter[Given]>
      }
    }[keyof DeadLetterFilter]

/**
 * Lists, retries and discards dead letters.
 *
 * @throws TypeError before anything happens, if an id is not text, or a filter has an unknown field or a value of
 * another type. `retry` and `discard` also refuse a filter without a field.
 */
export interface DeadLetters {
  /** All dead letters that match the filter, the oldest failure first. Default: all of them. */
  list(filter?: DeadLetterFilter): AsyncIterable<DeadLetter>
  /** One dead letter together with its delivery; `undefined` if there is none with this id. */
  get(id: string): Promise<(DeadLetter & { readonly delivery: StoredDelivery }) | undefined>
  /** Puts them back at the end of the queue, with all attempts available again. Resolves with how many there were. */
  retry(which: DeadLetterSelection): Promise<number>
  /** Deletes them. Their ids stay known until the retention window has passed. Resolves with how many there were. */
  discard(which: DeadLetterSelection): Promise<number>
}

/** How many deliveries an inbox holds, in all and by topic. */
export interface InboxStatistics extends DeliveryCounts {
  /** When the oldest delivery that is queued, running or failed was received. */
  readonly oldest: Date | undefined
  /** The same counts for each topic that has any. */
  readonly byTopic: Readonly<Record<string, DeliveryCounts>>
}

/** Why an attempt failed, in the form that an inbox stores. */
export interface Failure extends DeliveryError {
  /** Whether another attempt may succeed. */
  readonly retryable: boolean
  /**
   * Whether the failure says nothing about the delivery: this process is closing or overloaded or has no handler for
   * the topic, another process is handling the event, or a store is unavailable. Such an attempt does not count.
   */
  readonly excused: boolean
}

const EXCUSED_CODES: readonly string[] = [
  'SHUTTING_DOWN',
  'OVERLOADED',
  'IN_PROGRESS',
  'STORE_UNAVAILABLE',
  'NO_HANDLER',
] satisfies ErrorCode[]

/**
 * Converts the reason with which {@link ProcessDelivery} rejected. An unknown error counts as retryable. Texts are
 * bounded, because a dead letter is kept.
 */
export function toFailure(thrown: unknown): Failure {
  const { message, cause } = isPermanentError(thrown) ? thrown : toWebhookError(thrown)
  const handler = findHandler(thrown)
  return {
    message: boundText(String(message)),
    ...(handler !== undefined && { handler }),
    ...(cause !== undefined && { cause: boundText(describeCause(cause)) }),
    ...rate(thrown),
  }
}

function rate(thrown: unknown): Pick<Failure, 'code' | 'retryable' | 'excused'> {
  if (isPermanentError(thrown)) return { code: 'PERMANENT', retryable: false, excused: false }
  const { code, retryable } = toWebhookError(thrown)
  return { code, retryable, excused: EXCUSED_CODES.includes(code) }
}

/** The message of a thrown value; of an `AggregateError`, those of its errors. */
export function describeCause(cause: unknown): string {
  try {
    const { message, errors } = Object(cause)
    if (Array.isArray(errors)) return errors.map((error) => String(error?.message ?? error)).join(' | ')
    return String(message ?? cause)
  } catch {
    return 'An error that cannot be shown.'
  }
}

/** Whether the topic of a stored delivery has the form of one. An engine may hand out anything. */
export function isStoredTopic(topic: unknown): topic is string {
  return typeof topic === 'string' && isTopic(topic)
}
