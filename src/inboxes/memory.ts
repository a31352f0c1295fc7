import type { DeadLetter, DeadLetterFilter, Inbox, StoredDelivery } from '../core/inbox.ts'
import { inboxOn } from './inbox-on.ts'
import { type Claimed, type Demand, type End, type Limits, limitsOf, type Shelf, type ShelfOptions } from './shelf.ts'

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
export function createMemoryInbox(options: ShelfOptions = {}): Inbox {
  const limits = limitsOf('createMemoryInbox', options, ['retentionMs', 'maxQueued'])
  return inboxOn(createMemoryShelf(limits), limits.leaseMs)
}

/** Without leases: nobody who has taken a delivery can be lost without the shelf. */
function createMemoryShelf({ retentionMs, maxQueued }: Limits): Shelf {
  /** By id; those that are to be handed out first come first. */
  const rows = new Map<string, Row>()
  const known = createKnownIds(retentionMs)
  const open = () => [...rows.values()].filter((row) => !row.death)

  function heldBy({ delivery, token }: Claimed): Row | undefined {
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

  function claim({ hands, handsByTopic }: Demand): readonly Claimed[] {
    const claimed: Claimed[] = []
    const left = new Map(handsByTopic)
    for (const row of ready(Date.now())) {
      if (claimed.length === hands) break
      const { delivery } = row
      const room = left.get(delivery.topic) ?? hands
      if (room === 0) continue
      left.set(delivery.topic, room - 1)
      row.token = crypto.randomUUID()
      row.attempts += 1
      claimed.push({ token: row.token, attempt: row.attempts, delivery, isDamaged: false, isLost: false })
    }
    return claimed
  }

  function settle(row: Row, end: End): void {
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
    claim: async (demand) => claim(demand),
    renew: async (claimed) => heldBy(claimed) !== undefined,
    async settle(claimed, end) {
      const row = heldBy(claimed)
      if (row) settle(row, end)
      return row !== undefined
    },
    async dead(filter, last) {
      const letters = [...rows.values()].flatMap((row) => letterOf(row) ?? []).filter((letter) => suits(letter, filter))
      const rest = letters.filter((letter) => !last || isBefore(last, letter))
      return rest.sort((a, b) => (isBefore(a, b) ? -1 : 1)).map(({ delivery, ...letter }) => letter)
    },
    letter: async (id) => letterOf(rows.get(id)),
    async revive(id) {
      const letter = letterOf(rows.get(id))
      if (!letter) return false
      rows.delete(id)
      rows.set(id, { delivery: letter.delivery, attempts: 0, dueAt: Date.now() })
      return true
    },
    discard: async (id) => letterOf(rows.get(id)) !== undefined && remove(id),
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

function letterOf(row: Row | undefined): (DeadLetter & { readonly delivery: StoredDelivery }) | undefined {
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
