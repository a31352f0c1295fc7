import type { InboxStatistics } from '../../core/inbox/inbox.ts'
import type { DeliveryQueue, InboxLimits, LeasedDelivery, LeaseRequest, Settlement } from '../queue/queue.ts'
import { createKnownIds } from './known-ids.ts'
import { listDeadLetters, type Row, type Rows, toDeadLetter } from './rows.ts'

/** A delivery queue in memory. Its leases do not expire: a worker cannot be lost without the queue. */
export function createMemoryQueue({ retentionMs, maxQueued }: Omit<InboxLimits, 'leaseMs'>): DeliveryQueue {
  const rows: Rows = new Map()
  const known = createKnownIds(retentionMs)

  function remove(id: string): boolean {
    known.add(id)
    return rows.delete(id)
  }

  return {
    async put(delivery) {
      const { id } = delivery
      if (rows.has(id) || known.has(id)) return 'duplicate'
      if (rows.size >= maxQueued && findOpen(rows).length >= maxQueued) return 'full'
      rows.set(id, { delivery, attempts: 0, dueAt: Date.now() })
      return 'stored'
    },
    lease: async (request) => leaseReady(rows, request),
    renew: async (leased) => findLeased(rows, leased) !== undefined,
    async settle(leased, settlement) {
      const row = findLeased(rows, leased)
      if (!row) return false
      if (settlement.state === 'handled') remove(leased.delivery.id)
      else settleRow(row, settlement)
      return true
    },
    listDeadLetters: async (filter, last) => listDeadLetters(rows, filter, last),
    getDeadLetter: async (id) => toDeadLetter(rows.get(id)),
    async retryDeadLetter(id) {
      const deadLetter = toDeadLetter(rows.get(id))
      if (!deadLetter) return false
      rows.delete(id)
      rows.set(id, { delivery: deadLetter.delivery, attempts: 0, dueAt: Date.now() })
      return true
    },
    discardDeadLetter: async (id) => toDeadLetter(rows.get(id)) !== undefined && remove(id),
    statistics: async () => countRows(rows),
    async close() {},
  }
}

function findOpen(rows: Rows): readonly Row[] {
  return [...rows.values()].filter((row) => !row.death)
}

function findLeased(rows: Rows, { delivery, token }: LeasedDelivery): Row | undefined {
  const row = rows.get(delivery.id)
  return row?.token === token ? row : undefined
}

/** Of each group only the oldest row that is open can be ready. */
function* findReady(rows: Rows, now: number): Generator<Row> {
  const groups = new Set<string>()
  for (const row of rows.values()) {
    const { group } = row.delivery
    if (row.death || (group !== undefined && groups.has(group))) continue
    if (group !== undefined) groups.add(group)
    if (row.token === undefined && row.dueAt <= now) yield row
  }
}

function leaseReady(rows: Rows, { capacity, capacityByTopic }: LeaseRequest): readonly LeasedDelivery[] {
  const leased: LeasedDelivery[] = []
  const left = new Map(capacityByTopic)
  for (const row of findReady(rows, Date.now())) {
    if (leased.length === capacity) break
    const { delivery } = row
    const leftOfTopic = left.get(delivery.topic) ?? capacity
    if (leftOfTopic === 0) continue
    left.set(delivery.topic, leftOfTopic - 1)
    row.token = crypto.randomUUID()
    row.attempts += 1
    leased.push({ token: row.token, attempt: row.attempts, delivery, isDamaged: false, isLost: false })
  }
  return leased
}

function settleRow(row: Row, settlement: Exclude<Settlement, { readonly state: 'handled' }>): void {
  row.token = undefined
  if (settlement.state === 'dead') {
    row.attempts = settlement.attempts
    row.death = { failedAt: new Date(), error: settlement.error }
    return
  }
  row.dueAt = Date.now() + settlement.delayMs
  if (settlement.state === 'returned') row.attempts -= 1
}

function countRows(rows: Rows): InboxStatistics {
  const now = Date.now()
  const open = findOpen(rows)
  const waiting = open.filter(({ token }) => token === undefined)
  const queued = waiting.filter(({ dueAt }) => dueAt <= now).length
  const oldest = Math.min(...open.map(({ delivery }) => delivery.receivedAt.getTime()))
  return {
    queued,
    running: open.length - waiting.length,
    failed: waiting.length - queued,
    dead: rows.size - open.length,
    oldest: Number.isFinite(oldest) ? new Date(oldest) : undefined,
  }
}
