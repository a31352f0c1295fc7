import { LRUCache } from 'lru-cache'
import { checkOptions, positiveInteger } from '../core/check-options.ts'
import type { IdempotencyStore, ResourceVersion } from '../core/idempotency/store.ts'

export interface MemoryStoreOptions {
  /**
   * The most keys that are kept as handled, the most that may be in progress at once, and the most resource versions
   * that are kept. Default: 10,000.
   */
  readonly maxEntries?: number | undefined
}

interface HeldReservation {
  readonly token: string
  leasedUntil: number
  readonly done: Set<string>
}

interface EndedReservation {
  readonly isCompleted: boolean
  readonly done: ReadonlySet<string>
}

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * An idempotency store in the memory of this process, for development, tests and shops that run as one process. After a
 * restart an event may be handled again. Several processes need one of the other stores.
 *
 * - `maxEntries` (default: 10,000): a full store forgets the event that was handled longest ago, and a duplicate of it
 *   is handled again. It never forgets a reservation whose lease is running: `reserve` rejects if there are
 *   `maxEntries` of those.
 *
 * It uses the monotonic clock of the process.
 *
 * @throws TypeError if `maxEntries` is not a positive integer.
 * @example
 * const receiver = createReceiver({ secrets, idempotency: { store: createMemoryStore() } })
 * @see docs/reliability.md
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): IdempotencyStore {
  const { maxEntries } = checkOptions('createMemoryStore', options, { maxEntries: positiveInteger(10_000) })
  const held = new Map<string, HeldReservation>()
  const ended = new LRUCache<string, EndedReservation>({ max: maxEntries })
  const versions = new LRUCache<string, string>({ max: maxEntries })

  const findHeld = (key: string, token: string) => {
    const reservation = held.get(key)
    return reservation?.token === token ? reservation : undefined
  }

  const isStale = ({ resource, updatedAt }: ResourceVersion) => (versions.get(resource) ?? '') > updatedAt

  function endExpired(now: number): void {
    for (const [key, { leasedUntil, done }] of held) {
      if (leasedUntil > now) continue
      held.delete(key)
      ended.set(key, { isCompleted: false, done }, { ttl: DAY_MS })
    }
    if (held.size >= maxEntries) throw new Error(`The memory store is full: ${maxEntries} events are in progress.`)
  }

  return {
    async reserve(key, { leaseMs, version }) {
      const now = performance.now()
      const before = held.get(key) ?? ended.get(key)
      if (before && 'token' in before && before.leasedUntil > now) return { state: 'in-progress' }
      if (before && 'isCompleted' in before && before.isCompleted) return { state: 'completed' }
      if (!held.has(key) && held.size >= maxEntries) endExpired(now)
      ended.delete(key)
      const token = crypto.randomUUID()
      const done = new Set(before?.done)
      held.set(key, { token, leasedUntil: now + leaseMs, done })
      return { state: 'reserved', token, done: [...done], stale: version !== undefined && isStale(version) }
    },

    async renew(key, token, { leaseMs, done }) {
      const reservation = findHeld(key, token)
      if (!reservation) return false
      reservation.leasedUntil = performance.now() + leaseMs
      for (const name of done) reservation.done.add(name)
      return true
    },

    async complete(key, token, { retentionMs, version }) {
      if (!findHeld(key, token)) return false
      held.delete(key)
      ended.set(key, { isCompleted: true, done: new Set() }, { ttl: retentionMs })
      if (version && !isStale(version)) {
        versions.set(version.resource, version.updatedAt, { ttl: retentionMs })
      }
      return true
    },

    async release(key, token, { done, retentionMs }) {
      const reservation = findHeld(key, token)
      if (!reservation) return false
      held.delete(key)
      ended.set(key, { isCompleted: false, done: new Set([...reservation.done, ...done]) }, { ttl: retentionMs })
      return true
    },
  }
}
