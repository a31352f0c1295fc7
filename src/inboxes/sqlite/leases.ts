import type { LeasedDelivery, LeaseRequest, Settlement } from '../queue/queue.ts'
import { forgetBody, type OpenRow, type RemovedRow, toDeliveryRecord } from './rows.ts'
import type { InboxStatements } from './statements.ts'

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
    const { seq, topic } = row
    const token = crypto.randomUUID()
    sql.lease.run(token, now + leaseMs, seq)
    left.set(topic, (left.get(topic) ?? capacity) - 1)
    leased.push({ token, attempt: row.attempts + 1, isLost: row.token !== null, ...toDeliveryRecord(row) })
  }
  return leased
}

/** To be run in a transaction. False if the token no longer holds the delivery. */
export function settleLeased(
  sql: InboxStatements,
  { token, delivery: { id } }: LeasedDelivery,
  settlement: Settlement,
  retentionMs: number,
): boolean {
  const now = Date.now()
  if (settlement.state === 'returned') return sql.putBack.run(now + settlement.delayMs, id, token).changes > 0
  if (settlement.state === 'failed') return sql.reschedule.run(now + settlement.delayMs, id, token).changes > 0
  if (settlement.state === 'dead') {
    const { error, attempts } = settlement
    return openNext(sql, sql.markDead.get(now, attempts, error.code, error.message, id, token)) !== undefined
  }
  const seq = openNext(sql, sql.markHandled.get(now + retentionMs, id, token))
  if (seq !== undefined) forgetBody(sql, seq)
  return seq !== undefined
}

/** Opens the next delivery of the group of a row that is not open any more. */
function openNext(sql: InboxStatements, row: unknown): number | undefined {
  if (!row) return undefined
  const { seq, grp } = row as RemovedRow
  if (grp !== null) sql.openNext.run(grp)
  return seq
}
