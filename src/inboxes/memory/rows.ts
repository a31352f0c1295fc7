import type { DeadLetter, DeadLetterFilter, StoredDelivery } from '../../core/inbox/inbox.ts'
import { matchesFilter } from '../queue/matches-filter.ts'

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
  /** Only of a dead letter. */
  death?: Pick<DeadLetter, 'failedAt' | 'error' | 'resource'>
}

export function toDeadLetter(row: Row | undefined): (DeadLetter & { readonly delivery: StoredDelivery }) | undefined {
  if (!row?.death) return undefined
  const { delivery, attempts, death } = row
  const { id, topic, receivedAt } = delivery
  return { id, topic, receivedAt, attempts, ...death, delivery }
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
