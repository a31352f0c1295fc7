import { LRUCache } from 'lru-cache'
import { checkOptions, positiveInteger } from '../core/check-options.ts'
import type { ErasableStore, ResourceVersion } from '../core/idempotency/store.ts'
import { checkResourceName } from '../core/idempotency/stored-resource.ts'

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
  /** `undefined` if the key was completed whatever the names. */
  readonly done: ReadonlySet<string> | undefined
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
export function createMemoryStore(options: MemoryStoreOptions = {}): ErasableStore {
  const { maxEntries } = checkOptions('createMemoryStore', options, { maxEntries: positiveInteger(10_000) })
  const held = new Map<string, HeldReservation>()
  const ended = new LRUCache<string, EndedReservation>({ max: maxEntries })
  const versions = new LRUCache<string, string>({ max: maxEntries })
  const failures = new LRUCache<string, number>({ max: maxEntries, ttl: DAY_MS })

  const findHeld = (key: string, token: string) => {
    const reservation = held.get(key)
    return reservation?.token === token ? reservation : undefined
  }

  const isStale = ({ resource, updatedAt }: ResourceVersion) => (versions.get(resource) ?? '') > updatedAt

  /** Ends a reservation. A key that was completed before stays so, for at least as long as it was to be. */
  function end(key: string, done: EndedReservation['done'], ttl: number, isCompleting = false): void {
    held.delete(key)
    const wasCompleted = ended.get(key)?.isCompleted ?? false
    const keptMs = wasCompleted ? ended.getRemainingTTL(key) : 0
    ended.set(key, { isCompleted: isCompleting || wasCompleted, done }, { ttl: Math.max(ttl, keptMs) })
  }

  function endExpired(now: number): void {
    for (const [key, { leasedUntil, done }] of held) if (leasedUntil <= now) end(key, done, DAY_MS)
    if (held.size >= maxEntries) throw new Error(`The memory store is full: ${maxEntries} events are in progress.`)
  }

  return {
    async reserve(key, { leaseMs, version, names = [] }) {
      const now = performance.now()
      const holder = held.get(key)
      const before = ended.get(key)
      const wasCompleted = before?.isCompleted ?? false
      const known = holder ? holder.done : before?.done
      if (wasCompleted && (!known || names.every((name) => known.has(name)))) return { state: 'completed' }
      if (holder && holder.leasedUntil > now) return { state: 'in-progress' }
      if (!holder && held.size >= maxEntries) endExpired(now)
      if (!wasCompleted) ended.delete(key)
      const token = crypto.randomUUID()
      const done = new Set(known)
      held.set(key, { token, leasedUntil: now + leaseMs, done })
      const stale = version !== undefined && isStale(version)
      return { state: 'reserved', token, done: [...done], stale, wasCompleted }
    },

    async renew(key, token, { leaseMs, done }) {
      const reservation = findHeld(key, token)
      if (!reservation) return false
      reservation.leasedUntil = performance.now() + leaseMs
      for (const name of done) reservation.done.add(name)
      return true
    },

    async complete(key, token, { retentionMs, version, done }) {
      const reservation = findHeld(key, token)
      if (!reservation) return false
      end(key, done && new Set([...reservation.done, ...done]), retentionMs, true)
      if (version && !isStale(version)) {
        versions.set(version.resource, version.updatedAt, { ttl: retentionMs })
      }
      return true
    },

    async release(key, token, { done, retentionMs }) {
      const reservation = findHeld(key, token)
      if (!reservation) return false
      end(key, new Set([...reservation.done, ...done]), retentionMs)
      return true
    },

    async countFailures(topic, change) {
      const count = change === 'reset' ? 0 : (failures.get(topic) ?? 0) + (change === 'add' ? 1 : 0)
      if (change !== 'read') failures.set(topic, count)
      return count
    },

    async erase(resource) {
      return { versions: Number(versions.delete(checkResourceName(resource))) }
    },
  }
}
