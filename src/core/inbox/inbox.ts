import { isPermanentError, toWebhookError } from '../errors.ts'
import type { ErrorCode } from '../outcomes.ts'

/** A delivery that was verified, as an inbox keeps it until a worker has handled it. */
export interface StoredDelivery {
  /** `delivery.id`: a fingerprint of topic and bytes. */
  readonly id: string
  readonly topic: string
  /** The bytes as they came and were signed. */
  readonly body: Uint8Array
  readonly receivedAt: Date
  /** `{type}/{id}` of the resource, where the order of its deliveries is to be kept; else `undefined`. */
  readonly group: string | undefined
}

/**
 * Keeps verified deliveries until they were handled: a driver of `hooklayer/inboxes/*`, or your own. The receiver stores, a worker
 * takes out; they may be of one process or of many.
 */
export interface Inbox {
  /**
   * Stores a delivery for good, or knows its `id` from within the retention window, handled or not. Resolves when it would
   * survive a crash, and not before; rejects if it cannot vouch for that, `full` if there is no room. The sender is told 503
   * then, and comes again.
   */
  put(delivery: StoredDelivery): Promise<'stored' | 'duplicate' | 'full'>
  /** Hands out what is stored, one by one to each of `concurrency` hands, until it is told to stop. */
  consume(process: ProcessDelivery, options: ConsumeOptions): Worker
  readonly deadLetters: DeadLetters
  statistics(): Promise<InboxStatistics>
  /** Closes what the driver itself opened. */
  close(): Promise<void>
}

/**
 * Handles a delivery that was stored. Resolves when it was handled; rejects with a `WebhookError` when it is to be tried again
 * after a while (`retryable`), or never.
 */
export type ProcessDelivery = (delivery: StoredDelivery, attempt: DeliveryAttempt) => Promise<void>

export interface DeliveryAttempt {
  /** From 1. */
  readonly number: number
  /** Aborted when the consumer has stopped and cannot wait, or has lost the delivery to another. */
  readonly signal: AbortSignal
}

export interface ConsumeOptions {
  /** How many deliveries are handled at once. */
  readonly concurrency: number
  /** How many of one topic at once, of those. */
  readonly concurrencyByTopic: Readonly<Record<string, number>>
  /** After how many attempts a delivery becomes a dead letter; those that were {@link Failure.excused} are not counted. */
  readonly attempts: number
  /** Milliseconds to wait after the attempt of this number has failed. */
  readonly delayMs: (attempt: number) => number
  /** Told when the engine itself fails, which it survives by trying again, and of what is given up as `WORKER_LOST` or `BODY_DAMAGED`. */
  readonly onError: (error: unknown) => void
}

export interface Worker {
  /**
   * Takes nothing more out, and waits for what is under way. After `timeoutMs` the signals are aborted and what has still not
   * ended is given back, for another worker; so is what was just being taken out.
   */
  stop(options?: { readonly timeoutMs?: number }): Promise<void>
}

/** A delivery that was given up. */
export interface DeadLetter {
  readonly id: string
  readonly topic: string
  readonly receivedAt: Date
  readonly failedAt: Date
  /** How many were made. */
  readonly attempts: number
  /**
   * `code` of the error of the last attempt, and its message; `PERMANENT` for a handler's `PermanentError`. The drivers of this package
   * have two more: `WORKER_LOST`, nobody has seen the end of its attempts, and `BODY_DAMAGED`, the engine did not keep the bytes.
   */
  readonly error: { readonly code: string; readonly message: string }
}

export interface DeadLetterFilter {
  readonly topic?: string
  readonly code?: string
  readonly failedSince?: Date
  readonly failedUntil?: Date
}

/** What was given up, for somebody to look at. `which` is an id, or a filter: `{}` is all of them. */
export interface DeadLetters {
  /** The oldest first. */
  list(filter?: DeadLetterFilter): AsyncIterable<DeadLetter>
  /** With the delivery itself. */
  get(id: string): Promise<(DeadLetter & { readonly delivery: StoredDelivery }) | undefined>
  /** Stores them anew, with all their attempts; resolves with how many. */
  retry(which: string | DeadLetterFilter): Promise<number>
  /** Forgets them, but not their `id` before the retention window has passed; resolves with how many. */
  discard(which: string | DeadLetterFilter): Promise<number>
}

export interface InboxStatistics {
  /** Waiting for their first attempt, or for a hand. */
  readonly queued: number
  readonly running: number
  /** Waiting for their next attempt. */
  readonly failed: number
  readonly dead: number
  /** When the oldest that is not handled, dead ones left out, was received. */
  readonly oldest: Date | undefined
}

/** Why an attempt failed, as an inbox keeps it. */
export interface Failure {
  /** The code of a `WebhookError`, or `PERMANENT` for a handler's `PermanentError`. */
  readonly code: string
  readonly message: string
  /** Whether another attempt may succeed. */
  readonly retryable: boolean
  /** Whether it says nothing about the delivery: this process is closing or busy, another has the event, or a store is down. */
  readonly excused: boolean
}

const EXCUSES: readonly string[] = [
  'SHUTTING_DOWN',
  'OVERLOADED',
  'IN_PROGRESS',
  'STORE_UNAVAILABLE',
] satisfies ErrorCode[]

/** What a driver makes of that with which {@link ProcessDelivery} was rejected. What is unknown may succeed later. */
export function toFailure(thrown: unknown): Failure {
  if (isPermanentError(thrown)) return { code: 'PERMANENT', message: thrown.message, retryable: false, excused: false }
  const { code, message, retryable } = toWebhookError(thrown)
  return { code, message, retryable, excused: EXCUSES.includes(code) }
}
