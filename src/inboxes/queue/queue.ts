import { checkValue } from '../../core/check-options.ts'
import type { DeadLetter, DeadLetterFilter, InboxStatistics, StoredDelivery } from '../../core/inbox/inbox.ts'

/** Where an inbox keeps its deliveries. Each method is one atomic change; one that cannot vouch for it rejects. */
export interface DeliveryQueue {
  put(delivery: StoredDelivery): Promise<'stored' | 'duplicate' | 'full'>
  /** Hands out those that are ready, the oldest first, each under a token of its own, for as long as a lease. */
  lease(request: LeaseRequest): Promise<readonly LeasedDelivery[]>
  /** Begins the lease anew; false if the token no longer holds the delivery. */
  renew(leased: LeasedDelivery): Promise<boolean>
  /** Says what has become of a delivery; false, and nothing happens, if the token no longer holds it. */
  settle(leased: LeasedDelivery, end: Settlement): Promise<boolean>
  /** Some of the dead letters, the oldest first, from the one after `last` on; none if there are no more. */
  listDeadLetters(filter: DeadLetterFilter, last: DeadLetter | undefined): Promise<readonly DeadLetter[]>
  getDeadLetter(id: string): Promise<(DeadLetter & { readonly delivery: StoredDelivery }) | undefined>
  /** Puts a dead letter at the end, with no attempt made; false if there is none. */
  retryDeadLetter(id: string): Promise<boolean>
  /** Keeps nothing of a dead letter but its id; false if there is none. */
  discardDeadLetter(id: string): Promise<boolean>
  statistics(): Promise<InboxStatistics>
  close(): Promise<void>
}

export interface LeaseRequest {
  readonly capacity: number
  /** How many more of a topic may run, where that is limited. */
  readonly capacityByTopic: ReadonlyMap<string, number>
}

/** A delivery as it was found. If its body is damaged it is there as it was kept: somebody may still make something of it. */
export interface DeliveryRecord {
  readonly delivery: StoredDelivery
  readonly isDamaged: boolean
}

export interface LeasedDelivery extends DeliveryRecord {
  readonly token: string
  /** From 1. */
  readonly attempt: number
  /** Whether nobody has seen the end of an attempt before this one: its worker may have died of it. */
  readonly isLost: boolean
}

export type Settlement =
  | { readonly state: 'handled' }
  | { readonly state: 'failed'; readonly delayMs: number }
  /** After so many attempts: this one is not among them if it was not made. */
  | { readonly state: 'dead'; readonly error: DeadLetter['error']; readonly attempts: number }
  /** Given back, as if the attempt had not been made; `delayMs` may be 0. */
  | { readonly state: 'returned'; readonly delayMs: number }

/** Why a delivery is dead whose last attempt nobody has seen the end of. */
export const WORKER_LOST = { code: 'WORKER_LOST', message: 'The worker was lost while it handled the delivery.' }

/** Why a delivery is dead that cannot be read any more. */
export const BODY_DAMAGED = { code: 'BODY_DAMAGED', message: 'The body that was stored is damaged.' }

export interface InboxOptions {
  /** Milliseconds for which an id is known after its delivery was handled. Default: 7 days. */
  readonly retentionMs?: number
  /** How many deliveries that are not handled there may be, dead letters left out. Default: 100,000. */
  readonly maxQueued?: number
}

export type InboxLimits = Required<InboxOptions> & { readonly leaseMs: number }

const DEFAULTS: InboxLimits = { retentionMs: 7 * 24 * 60 * 60 * 1000, maxQueued: 100_000, leaseMs: 30_000 }

/** The options of an inbox, checked. */
export function checkInboxOptions(
  maker: string,
  given: Partial<InboxLimits>,
  names: readonly (keyof InboxLimits)[],
): InboxLimits {
  for (const [name, value] of Object.entries(given)) {
    if (!names.some((known) => known === name)) throw new TypeError(`${maker} has no option \`${name}\`.`)
    checkValue(maker, name, value)
  }
  return { ...DEFAULTS, ...given }
}
