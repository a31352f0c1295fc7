import type { InboxStatistics } from '../../core/inbox/inbox.ts'
import type { DeliveryCounts } from '../../core/inbox/listing.ts'
import {
  type AttemptFailure,
  type DeliveryQueue,
  type InboxLimits,
  type LeasedDelivery,
  type LeaseRequest,
  NO_HANDLER,
  type Settlement,
} from '../queue/queue.ts'
import { createKnownIds } from './known-ids.ts'
import { findState, isUnhandled, listDeadLetters, type Row, type Rows, toDeadLetter } from './rows.ts'
import { scanRows } from './scan.ts'

type MemoryLimits = Omit<InboxLimits, 'leaseMs'>

/** A delivery queue in memory. Its leases do not expire: a worker cannot be lost without the queue. */
export function createMemoryQueue(limits: MemoryLimits): DeliveryQueue {
  const { retentionMs, maxQueued, deadLetterRetentionMs } = limits
  const rows: Rows = new Map()
  const known = createKnownIds(retentionMs)

  function remove(id: string): boolean {
    known.add(id)
    return rows.delete(id)
  }

  function discardOld(): void {
    if (deadLetterRetentionMs === undefined) return
    const until = Date.now() - deadLetterRetentionMs
    for (const [id, { failedAt }] of rows) if (failedAt && failedAt.getTime() <= until) remove(id)
  }

  return {
    async put(delivery) {
      const { id } = delivery
      if (rows.has(id) || known.has(id)) return 'duplicate'
      if (rows.size >= maxQueued && findOpen(rows).length >= maxQueued) return 'full'
      rows.set(id, { delivery, attempts: 0, dueAt: Date.now() })
      return 'stored'
    },
    async lease(request) {
      discardOld()
      setAside(rows, request, limits)
      return leaseReady(rows, request)
    },
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
    scan: async (after) => scanRows(rows, after),
    readBody: async ({ id }) => rows.get(id)?.delivery.body,
    async erase({ id }) {
      const row = rows.get(id)
      if (!row) return undefined
      const state = findState(row, Date.now())
      if (state !== 'running') remove(id)
      return state
    },
    statistics: async () => countRows(rows),
    async close() {},
  }
}

function findOpen(rows: Rows): readonly Row[] {
  return [...rows.values()].filter((row) => !row.failedAt && !isUnhandled(row))
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
    if (row.failedAt || (group !== undefined && groups.has(group))) continue
    if (group !== undefined && !isUnhandled(row)) groups.add(group)
    if (row.token === undefined && row.dueAt <= now) yield row
  }
}

/** Sets the rows aside that have no handler, and ends those that have waited for one for too long, or are too many. */
function setAside(rows: Rows, request: LeaseRequest, { maxUnhandled, unhandledMs }: MemoryLimits): void {
  const now = Date.now()
  const ready = [...findReady(rows, now)].filter(({ delivery }) => !request.isHandled(delivery.topic))
  const found = ready.filter((row) => !isUnhandled(row))
  for (const row of found) row.unhandledSince = now
  for (const topic of groupByTopic(found).keys()) request.onUnhandled(topic, 0)
  for (const [topic, unhandled] of groupByTopic(ready)) {
    const isOver = ({ unhandledSince = now }: Row, i: number) =>
      i < unhandled.length - maxUnhandled || now - unhandledSince > unhandledMs
    const over = unhandled.filter(isOver)
    for (const row of over) settleRow(row, { state: 'dead', error: NO_HANDLER, attempts: row.attempts })
    if (over.length > 0) request.onUnhandled(topic, over.length)
  }
}

function leaseReady(rows: Rows, { capacity, capacityByTopic, isHandled }: LeaseRequest): readonly LeasedDelivery[] {
  const leased: LeasedDelivery[] = []
  const left = new Map(capacityByTopic)
  for (const row of findReady(rows, Date.now())) {
    if (leased.length === capacity) break
    const { delivery } = row
    const leftOfTopic = left.get(delivery.topic) ?? capacity
    if (leftOfTopic === 0 || !isHandled(delivery.topic)) continue
    left.set(delivery.topic, leftOfTopic - 1)
    row.unhandledSince = undefined
    row.token = crypto.randomUUID()
    row.attempts += 1
    leased.push({ token: row.token, attempt: row.attempts, delivery, isDamaged: false, isLost: false, losses: 0 })
  }
  return leased
}

function settleRow(row: Row, settlement: Exclude<Settlement, { readonly state: 'handled' }>): void {
  row.token = undefined
  row.unhandledSince = undefined
  if (settlement.state === 'dead') {
    row.attempts = settlement.attempts
    row.failedAt = new Date()
    row.failure = readFailure(settlement)
    return
  }
  if (settlement.state === 'failed') row.failure = readFailure(settlement)
  row.dueAt = Date.now() + settlement.delayMs
  if (settlement.state === 'returned') row.attempts -= 1
}

function countRows(rows: Rows): InboxStatistics {
  const now = Date.now()
  const byTopic = groupByTopic(rows.values())
  const oldest = Math.min(...findOpen(rows).map(({ delivery }) => delivery.receivedAt.getTime()))
  return {
    ...countStates([...rows.values()], now),
    oldest: Number.isFinite(oldest) ? new Date(oldest) : undefined,
    byTopic: Object.fromEntries([...byTopic].map(([topic, ofTopic]) => [topic, countStates(ofTopic, now)])),
  }
}

function groupByTopic(rows: Iterable<Row>): Map<string, Row[]> {
  const byTopic = new Map<string, Row[]>()
  for (const row of rows) {
    const ofTopic = byTopic.get(row.delivery.topic)
    if (ofTopic) ofTopic.push(row)
    else byTopic.set(row.delivery.topic, [row])
  }
  return byTopic
}

function countStates(rows: readonly Row[], now: number): DeliveryCounts {
  const counts = { queued: 0, running: 0, failed: 0, unhandled: 0, dead: 0 }
  for (const row of rows) counts[findState(row, now)] += 1
  return counts
}

function readFailure({ error, resource, maxAttempts }: AttemptFailure): AttemptFailure {
  return { error, resource, ...(maxAttempts !== undefined && { maxAttempts }) }
}
