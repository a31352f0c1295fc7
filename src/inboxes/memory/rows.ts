import type { DeadLetter, DeadLetterFilter, StoredDelivery } from '../../core/inbox/inbox.ts'
import type { DeliveryState } from '../../core/inbox/listing.ts'
import { matchesFilter } from '../queue/matches-filter.ts'
import type { AttemptFailure, ScannedDelivery } from '../queue/queue.ts'

/** By id, in the order in which they are leased. */
export type Rows = Map<string, Row>

export interface Row {
  readonly delivery: StoredDelivery
  attempts: number
  /** The token of the lease; `undefined` while it is not leased. */
  token?: string | undefined
  /** When the next attempt may start, in milliseconds since the epoch. */
  dueAt: number
  /** When it was set aside for want of a handler. */
  unhandledSince?: number | undefined
  /** The last attempt that failed. A dead letter has one. */
  failure?: AttemptFailure
  /** Only of a dead letter. */
  failedAt?: Date
}

export function toDeadLetter(row: Row | undefined): (DeadLetter & { readonly delivery: StoredDelivery }) | undefined {
  if (!row?.failedAt || !row.failure) return undefined
  const { delivery, attempts, failure, failedAt } = row
  const { id, topic, receivedAt } = delivery
  return { id, topic, receivedAt, failedAt, attempts, ...failure, delivery }
}

export function toScanned(row: Row): ScannedDelivery {
  const { delivery, attempts, failure, failedAt, dueAt } = row
  const { id, topic, receivedAt } = delivery
  const state = findState(row, Date.now())
  return {
    id,
    topic,
    state,
    receivedAt,
    attempts,
    ...(state === 'failed' && { nextAttemptAt: new Date(dueAt) }),
    ...(failedAt && { failedAt }),
    ...failure,
  }
}

export function findState(row: Row, now: number): DeliveryState {
  if (row.failedAt) return 'dead'
  if (row.token !== undefined) return 'running'
  if (isUnhandled(row)) return 'unhandled'
  return row.dueAt <= now ? 'queued' : 'failed'
}

export function listDeadLetters(rows: Rows, filter: DeadLetterFilter, last: DeadLetter | undefined): DeadLetter[] {
  return [...rows.values()]
    .flatMap((row) => toDeadLetter(row) ?? [])
    .filter((deadLetter) => matchesFilter(deadLetter, filter) && (!last || compare(last, deadLetter) < 0))
    .sort(compare)
    .map(({ delivery, ...deadLetter }) => deadLetter)
}

/** The oldest failure first; by id where two failed at the same time. */
function compare(one: DeadLetter, other: DeadLetter): number {
  return one.failedAt.getTime() - other.failedAt.getTime() || (one.id < other.id ? -1 : Number(one.id > other.id))
}

/** Whether it waits for a worker that has a handler for its topic. */
export function isUnhandled({ unhandledSince }: Row): boolean {
  return unhandledSince !== undefined
}
