import { type CheckedOptions, type OptionRule, positiveInteger } from '../../core/check-options.ts'
import type { DeadLetter, DeadLetterFilter, InboxStatistics, StoredDelivery } from '../../core/inbox/inbox.ts'
import type { DeliveryState, ListedDelivery } from '../../core/inbox/listing.ts'
import { ERRORS } from '../../core/outcomes.ts'

/**
 * The part of an inbox that is different for each engine: stores deliveries and leases them to workers. Each method is
 * one atomic change, and rejects if it cannot guarantee that the change was made.
 */
export interface DeliveryQueue {
  put(delivery: StoredDelivery): Promise<'stored' | 'duplicate' | 'full'>
  /** Leases deliveries that are ready, the oldest first, each with a token of its own. */
  lease(request: LeaseRequest): Promise<readonly LeasedDelivery[]>
  /**
   * The most deliveries of one request to a server, which finds the next ones while a worker handles these. Absent: a
   * worker asks for as many as it can take, and then handles them.
   */
  readonly leasedAtOnce?: number
  /** Starts the lease again; false if the token no longer holds the delivery. */
  renew(leased: LeasedDelivery): Promise<boolean>
  /** Ends a lease with its result; false, without any change, if the token no longer holds the delivery. */
  settle(leased: LeasedDelivery, settlement: Settlement): Promise<boolean>
  /**
   * Resolves when there may be something new to lease, also from other processes, or when the signal is aborted. Never
   * rejects. A worker calls it while it could take more. Absent: workers look every 250 ms.
   */
  waitForWork?(signal: AbortSignal): Promise<void>
  /**
   * A page of the dead letters that match, the oldest failure first, starting after `last`; empty if there are no more.
   */
  listDeadLetters(filter: DeadLetterFilter, last: DeadLetter | undefined): Promise<readonly DeadLetter[]>
  getDeadLetter(id: string): Promise<(DeadLetter & { readonly delivery: StoredDelivery }) | undefined>
  /** Puts a dead letter at the end of the queue, with no attempt made; false if there is none with this id. */
  retryDeadLetter(id: string): Promise<boolean>
  /** Deletes a dead letter except for its id; false if there is none with this id. */
  discardDeadLetter(id: string): Promise<boolean>
  /**
   * The first page of all deliveries that were not handled, in the order in which they were stored, without their
   * bodies. Those that move meanwhile are not left out. A page may be empty.
   *
   * @param after the id of the delivery after which to start. If it is not known: from the beginning.
   */
  scan(after: string | undefined): Promise<ScannedPage>
  /** The body of a delivery that was scanned; `undefined` if it is damaged, or was handled meanwhile. */
  readBody(scanned: ScannedDelivery): Promise<Uint8Array | undefined>
  /**
   * Deletes all of a delivery that was scanned except for its id. Resolves with the state in which it was, or with
   * `running` if nothing was changed because a worker has leased it; `undefined` if it was handled meanwhile.
   */
  erase(scanned: ScannedDelivery): Promise<DeliveryState | undefined>
  statistics(): Promise<InboxStatistics>
  close(): Promise<void>
}

export interface LeaseRequest {
  /** The most deliveries to lease. */
  readonly capacity: number
  /** The most deliveries of one topic, for the topics that have a limit. */
  readonly capacityByTopic: ReadonlyMap<string, number>
  /**
   * Whether this worker has a handler for a topic. Deliveries of other topics that are ready are set aside: they are
   * counted as `unhandled`, count neither toward `maxQueued` nor as an attempt, and do not hold up their group. Any
   * worker that handles their topic leases them.
   */
  isHandled(topic: string): boolean
  /**
   * Called for a topic when deliveries of it are set aside, and when `dead` of them have become dead letters with
   * {@link NO_HANDLER}: they were set aside for longer than `unhandledMs`, or were the oldest of more than
   * `maxUnhandled` of their topic.
   */
  onUnhandled(topic: string, dead: number): void
}

/**
 * A delivery as it was read from the engine. A damaged body is given as it was stored: parts of it may still be
 * readable.
 */
export interface DeliveryRecord {
  readonly delivery: StoredDelivery
  readonly isDamaged: boolean
}

export interface LeasedDelivery extends DeliveryRecord {
  readonly token: string
  /** Counted from 1. */
  readonly attempt: number
  /**
   * Whether the last attempt has no known result, because its worker was lost. The delivery itself may have caused
   * that.
   */
  readonly isLost: boolean
  /** How many workers were lost while they handled this delivery, since it was stored or retried. */
  readonly losses: number
}

/** What is kept of the last attempt that failed, with the delivery. */
export type AttemptFailure = Pick<DeadLetter, 'error' | 'resource' | 'maxAttempts'>

/** The engine knows the object itself again. */
export type ScannedDelivery = Omit<ListedDelivery, 'ageMs'>

export interface ScannedPage {
  readonly deliveries: readonly ScannedDelivery[]
  /** Reads the page after this one; absent if there is none. */
  readonly next?: (() => Promise<ScannedPage>) | undefined
}

/** The result of an attempt. */
export type Settlement =
  | { readonly state: 'handled' }
  | ({ readonly state: 'failed'; readonly delayMs: number } & AttemptFailure)
  /** `attempts` counts those that were made; without this one if it was not made. */
  | ({ readonly state: 'dead'; readonly attempts: number } & AttemptFailure)
  /**
   * Put back as if the attempt had not been made, but for its `losses`. With a `delayMs` of 0 it is the next one to be
   * leased.
   */
  | { readonly state: 'returned'; readonly delayMs: number }

/** The error of a delivery that no worker had a handler for. */
export const NO_HANDLER = { code: 'NO_HANDLER', message: 'No worker had a handler for the topic.' }

/** The error of a delivery whose worker was lost during the last attempt. */
export const WORKER_LOST = { code: 'WORKER_LOST', message: 'The worker was lost while it handled the delivery.' }

/** The error of a delivery that is not in the engine as it was stored: its body does not match its checksum, say. */
export const BODY_DAMAGED = { code: 'BODY_DAMAGED', message: ERRORS.BODY_DAMAGED[2] }

export interface InboxOptions {
  /**
   * Milliseconds for which the id of a handled delivery stays known, so that duplicates are recognized. Default: 7
   * days.
   */
  readonly retentionMs?: number | undefined
  /**
   * The most deliveries that may wait to be handled, without dead letters and those that no worker has a handler for.
   * More are answered 503. Default: 100,000.
   */
  readonly maxQueued?: number | undefined
  /**
   * The most deliveries of one topic that wait for a worker with a handler. Of more, the oldest become dead letters
   * with `NO_HANDLER`. Default: 10,000.
   */
  readonly maxUnhandled?: number | undefined
  /**
   * Milliseconds after which a delivery that no worker has a handler for becomes a dead letter with `NO_HANDLER`.
   * Default: 1 day.
   */
  readonly unhandledMs?: number | undefined
  /**
   * Milliseconds after which workers discard a dead letter. Its id stays known for `retentionMs` more. Default: dead
   * letters are kept until you retry or discard them.
   */
  readonly deadLetterRetentionMs?: number | undefined
}

const NO_LIMIT: OptionRule<number | undefined> = { ...positiveInteger(1), fallback: undefined }

/** The options that queues have in common. */
export const INBOX_RULES = {
  retentionMs: positiveInteger(7 * 24 * 60 * 60 * 1000),
  maxQueued: positiveInteger(100_000),
  maxUnhandled: positiveInteger(10_000),
  unhandledMs: positiveInteger(24 * 60 * 60 * 1000),
  deadLetterRetentionMs: NO_LIMIT,
  leaseMs: positiveInteger(30_000),
}

export type InboxLimits = CheckedOptions<typeof INBOX_RULES>
