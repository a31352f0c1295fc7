import { mustRunAlone } from '../queue/attempt-delivery.ts'
import type { AttemptFailure, LeasedDelivery, LeaseRequest, Settlement } from '../queue/queue.ts'
import { hasValidId, type OpenRow, readTopics, toDeliveryRecord } from './rows.ts'
import type { InboxStatements } from './statements.ts'

/**
 * A leased delivery with the `seq` of its row: an id that is not text would not find it again. In a WeakMap it would
 * keep the body until V8's next full collection.
 */
interface LeasedRow extends LeasedDelivery {
  readonly seq: string
}

/**
 * Leases the oldest deliveries that are ready. One that must run alone is leased alone: if it ends the process, no other
 * lease is lost with it. To be run in a transaction.
 */
export function leaseReady(sql: InboxStatements, request: LeaseRequest, leaseMs: number): readonly LeasedDelivery[] {
  const leased: LeasedDelivery[] = []
  for (const { seq } of findReady(sql, request)) {
    const row = sql.readReady.get(seq) as OpenRow
    const lease = toLease(row)
    if (mustRunAlone(lease) && leased.length > 0) break
    writeLease(sql, row, lease, leaseMs)
    leased.push(lease)
    if (mustRunAlone(lease)) break
  }
  return leased
}

/** Those of topics that have a handler and capacity left. Others are not read, however many there are. */
function findReady(
  sql: InboxStatements,
  { capacity, capacityByTopic, isHandled }: LeaseRequest,
): readonly ReadyEntry[] {
  const now = Date.now()
  const ready = readTopics(sql.openTopics.all()).map((topic) => {
    const name = topic.toString()
    const limit = isHandled(name) ? Math.min(capacity, capacityByTopic.get(name) ?? capacity) : 0
    return limit > 0 ? (sql.findReady.all(topic, now, limit) as readonly ReadyEntry[]) : []
  })
  // The entries of one topic are in their order.
  const found = ready.length === 1 ? ready.flat() : ready.flat().sort(compareEntries)
  return found.slice(0, capacity)
}

interface ReadyEntry {
  readonly seq: string
  readonly due_at: number
}

function compareEntries(one: ReadyEntry, other: ReadyEntry): number {
  return one.due_at - other.due_at || Number(one.seq) - Number(other.seq)
}

function toLease(row: OpenRow): LeasedRow {
  const isLost = row.is_lost === 1
  const losses = row.losses + row.is_lost
  const token = crypto.randomUUID()
  return { token, attempt: row.attempts + 1, isLost, losses, seq: row.seq, ...toDeliveryRecord(row) }
}

function writeLease(sql: InboxStatements, row: OpenRow, lease: LeasedDelivery, leaseMs: number): void {
  sql.lease.run(lease.token, Date.now() + leaseMs, lease.losses, row.seq)
  if (!hasValidId(row)) sql.rename.run(row.seq)
}

/** To be run in a transaction. False if the token no longer holds the delivery. */
export function renewLease(sql: InboxStatements, leased: LeasedDelivery, leaseMs: number): boolean {
  return sql.renew.run(Date.now() + leaseMs, findRow(leased), leased.token).changes > 0
}

/** To be run in a transaction. False if the token no longer holds the delivery. */
export function settleLeased(
  sql: InboxStatements,
  leased: LeasedDelivery,
  settlement: Settlement,
  retentionMs: number,
): boolean {
  const now = Date.now()
  const { token } = leased
  const seq = findRow(leased)
  if (settlement.state === 'returned') {
    const dueAt = settlement.delayMs === 0 ? 0 : now + settlement.delayMs
    return sql.putBack.run(dueAt, seq, token).changes > 0
  }
  if (settlement.state === 'failed') {
    return sql.reschedule.run(now + settlement.delayMs, ...toColumns(settlement), seq, token).changes > 0
  }
  if (settlement.state === 'dead') {
    const isHeld = sql.markDead.run(now, settlement.attempts, ...toColumns(settlement), seq, token).changes > 0
    if (isHeld) openNext(sql, leased)
    return isHeld
  }
  const isHeld = sql.markHandled.run(now + retentionMs, seq, token).changes > 0
  if (isHeld) {
    openNext(sql, leased)
    sql.dropBody.run(seq)
  }
  return isHeld
}

/** The columns `code`, `message` and `details`. */
function toColumns({ error, resource, maxAttempts }: AttemptFailure): [string, string, string] {
  const { code, message, ...details } = error
  return [code, message, JSON.stringify({ ...details, resource, maxAttempts })]
}

/** The next one of its group. */
function openNext(sql: InboxStatements, leased: LeasedDelivery): void {
  if (leased.delivery.group !== undefined) sql.openNext.run(findRow(leased))
}

function findRow(leased: LeasedDelivery): string {
  return (leased as LeasedRow).seq
}
