import type { LeasedDelivery, LeaseRequest, Settlement } from '../queue/queue.ts'
import { forgetBody, hasValidId, type OpenRow, toDeliveryRecord } from './rows.ts'
import type { InboxStatements } from './statements.ts'

/** The rows of leased deliveries, by `seq`: an id that is not text would not find its row again. */
const rows = new WeakMap<LeasedDelivery, string>()

/** To be run in a transaction. */
export function leaseReady(
  sql: InboxStatements,
  { capacity, capacityByTopic }: LeaseRequest,
  leaseMs: number,
): readonly LeasedDelivery[] {
  const leased: LeasedDelivery[] = []
  const left = new Map(capacityByTopic)
  while (leased.length < capacity) {
    const now = Date.now()
    const busyTopics = [...left].flatMap(([topic, leftOfTopic]) => (leftOfTopic === 0 ? topic : []))
    const row = sql.findReady.get(now, JSON.stringify(busyTopics)) as OpenRow | undefined
    if (!row) break
    const { seq } = row
    const token = crypto.randomUUID()
    sql.lease.run(token, now + leaseMs, seq)
    if (!hasValidId(row)) sql.rename.run(seq)
    const lease = { token, attempt: row.attempts + 1, isLost: row.is_lost === 1, losses: 0, ...toDeliveryRecord(row) }
    const { topic } = lease.delivery
    left.set(topic, (left.get(topic) ?? capacity) - 1)
    rows.set(lease, seq)
    leased.push(lease)
  }
  return leased
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
  if (settlement.state === 'returned') return sql.putBack.run(now + settlement.delayMs, seq, token).changes > 0
  if (settlement.state === 'failed') return sql.reschedule.run(now + settlement.delayMs, seq, token).changes > 0
  if (settlement.state === 'dead') {
    const { error, attempts } = settlement
    const isHeld = sql.markDead.run(now, attempts, error.code, error.message, seq, token).changes > 0
    if (isHeld) sql.openNext.run(seq)
    return isHeld
  }
  const isHeld = sql.markHandled.run(now + retentionMs, seq, token).changes > 0
  if (isHeld) {
    sql.openNext.run(seq)
    forgetBody(sql, seq)
  }
  return isHeld
}

function findRow(leased: LeasedDelivery): string {
  return rows.get(leased) ?? ''
}
