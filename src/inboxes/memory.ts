import type { DeadLetter, DeadLetterFilter, Inbox, StoredDelivery } from '../core/inbox/inbox.ts'
import { createInbox } from './queue/create-inbox.ts'
import {
  checkInboxOptions,
  type DeliveryQueue,
  type InboxLimits,
  type InboxOptions,
  type LeasedDelivery,
  type LeaseRequest,
  type Settlement,
} from './queue/queue.ts'

export type { InboxOptions }

interface Row {
  readonly delivery: StoredDelivery
  attempts: number
  /** Of the worker that has it. */
  token?: string | undefined
  /** When it is ready. */
  dueAt: number
  death?: Pick<DeadLetter, 'failedAt' | 'error'>
}

/**
 * An inbox in the memory of this process: for tests, and for trying things out. **What it has stored is lost with the process**,
 * answered 202 as it was.
 *
 * @throws TypeError if an option is unknown or out of range.
 */
export function createMemoryInbox(options: InboxOptions = {}): Inbox {
  const limits = checkInboxOptions('createMemoryInbox', options, ['retentionMs', 'maxQueued'])
  return createInbox(createMemoryQueue(limits), limits.leaseMs)
}

/** Without leases: nobody who has taken a delivery can be lost without the shelf. */
function createMemoryQueue({ retentionMs, maxQueued }: InboxLimits): DeliveryQueue {
  /** By id; those that are to be handed out first come first. */
  const rows = new Map<string, Row>()
  const known = createKnownIds(retentionMs)
  const open = () => [...rows.values()].filter((row) => !row.death)

  function findLeased({ delivery, token }: LeasedDelivery): Row | undefined {
    const row = rows.get(delivery.id)
    return row?.token === token ? row : undefined
  }

  function remove(id: string): boolean {
    known.add(id)
    return rows.delete(id)
  }

  /** Whatever is open holds up what came after it in its group. */
  function* ready(now: number): Generator<Row> {
    const busy = new Set<string>()
    for (const row of rows.values()) {
      const { group } = row.delivery
      if (row.death || (group !== undefined && busy.has(group))) continue
      if (group !== undefined) busy.add(group)
      if (row.token === undefined && row.dueAt <= now) yield row
    }
  }

  function lease({ capacity, capacityByTopic }: LeaseRequest): readonly LeasedDelivery[] {
    const leased: LeasedDelivery[] = []
    const left = new Map(capacityByTopic)
    for (const row of ready(Date.now())) {
      if (leased.length === capacity) break
      const { delivery } = row
      const room = left.get(delivery.topic) ?? capacity
      if (room === 0) continue
      left.set(delivery.topic, room - 1)
      row.token = crypto.randomUUID()
      row.attempts += 1
      leased.push({ token: row.token, attempt: row.attempts, delivery, isDamaged: false, isLost: false })
    }
    return leased
  }

  function settle(row: Row, end: Settlement): void {
    row.token = undefined
    if (end.state === 'handled') remove(row.delivery.id)
    if (end.state === 'dead') {
      row.attempts = end.attempts
      row.death = { failedAt: new Date(), error: end.error }
    }
    if (end.state === 'failed' || end.state === 'returned') row.dueAt = Date.now() + end.delayMs
    if (end.state === 'returned') row.attempts -= 1
  }

  return {
    async put(delivery) {
      const { id } = delivery
      if (rows.has(id) || known.has(id)) return 'duplicate'
      if (rows.size >= maxQueued && open().length >= maxQueued) return 'full'
      rows.set(id, { delivery, attempts: 0, dueAt: Date.now() })
      return 'stored'
    },
    lease: async (request) => lease(request),
    renew: async (leased) => findLeased(leased) !== undefined,
    async settle(leased, end) {
      const row = findLeased(leased)
      if (row) settle(row, end)
      return row !== undefined
    },
    async listDeadLetters(filter, last) {
      const letters = [...rows.values()]
        .flatMap((row) => toDeadLetter(row) ?? [])
        .filter((letter) => suits(letter, filter))
      const rest = letters.filter((letter) => !last || isBefore(last, letter))
      return rest.sort((a, b) => (isBefore(a, b) ? -1 : 1)).map(({ delivery, ...letter }) => letter)
    },
    getDeadLetter: async (id) => toDeadLetter(rows.get(id)),
    async retryDeadLetter(id) {
      const letter = toDeadLetter(rows.get(id))
      if (!letter) return false
      rows.delete(id)
      rows.set(id, { delivery: letter.delivery, attempts: 0, dueAt: Date.now() })
      return true
    },
    discardDeadLetter: async (id) => toDeadLetter(rows.get(id)) !== undefined && remove(id),
    async statistics() {
      const now = Date.now()
      const waiting = open().filter(({ token }) => token === undefined)
      const queued = waiting.filter(({ dueAt }) => dueAt <= now).length
      const oldest = Math.min(...open().map(({ delivery }) => delivery.receivedAt.getTime()))
      return {
        queued,
        running: open().length - waiting.length,
        failed: waiting.length - queued,
        dead: rows.size - open().length,
        oldest: Number.isFinite(oldest) ? new Date(oldest) : undefined,
      }
    },
    async close() {},
  }
}

function toDeadLetter(row: Row | undefined): (DeadLetter & { readonly delivery: StoredDelivery }) | undefined {
  if (!row?.death) return undefined
  const { delivery, attempts, death } = row
  const { id, topic, receivedAt } = delivery
  return { id, topic, receivedAt, attempts, ...death, delivery }
}

function isBefore(one: DeadLetter, other: DeadLetter): boolean {
  const later = other.failedAt.getTime() - one.failedAt.getTime()
  return later > 0 || (later === 0 && one.id < other.id)
}

function suits(letter: DeadLetter, { topic, code, failedSince, failedUntil }: DeadLetterFilter): boolean {
  return (
    (topic === undefined || letter.topic === topic) &&
    (code === undefined || letter.error.code === code) &&
    (failedSince === undefined || letter.failedAt >= failedSince) &&
    (failedUntil === undefined || letter.failedAt <= failedUntil)
  )
}

/** Remembers what is done with, each id for the same time. */
function createKnownIds(retentionMs: number): { has(id: string): boolean; add(id: string): void } {
  const knownUntil = new Map<string, number>()
  return {
    has: (id) => (knownUntil.get(id) ?? 0) > Date.now(),
    add(id) {
      for (const [old, until] of knownUntil) {
        if (until > Date.now()) break
        knownUntil.delete(old)
      }
      knownUntil.delete(id)
      knownUntil.set(id, Date.now() + retentionMs)
    },
  }
}
