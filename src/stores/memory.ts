import { LRUCache } from 'lru-cache'
import type { IdempotencyStore, ResourceVersion } from '../core/idempotency/store.ts'

export interface MemoryStoreOptions {
  /**
   * How many keys are remembered as handled, how many may be in progress at once, and how many versions are kept.
   * Default: 10,000.
   */
  readonly maxEntries?: number
}

interface Held {
  readonly token: string
  leasedUntil: number
  readonly done: Set<string>
}

/** What is left of a claim that has ended. */
interface Ended {
  readonly isCompleted: boolean
  readonly done: ReadonlySet<string>
}

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Remembers events in this process, and loses them with it: for development, for tests, and for a shop that is one process and
 * can live with an event handled twice after a restart. Several processes need one of the other stores.
 *
 * A full store forgets what was handled longest ago, and a duplicate of that would be handled again. It forgets no claim
 * whose lease lasts: with `maxEntries` of those, `reserve` rejects. The clock is the process's monotonic one.
 *
 * @throws TypeError if `maxEntries` is not a positive integer.
 */
export function createMemoryStore({ maxEntries = 10_000 }: MemoryStoreOptions = {}): IdempotencyStore {
  if (!Number.isSafeInteger(maxEntries) || maxEntries < 1) {
    throw new TypeError(`\`maxEntries\` is not a positive integer: ${maxEntries}.`)
  }
  const held = new Map<string, Held>()
  const ended = new LRUCache<string, Ended>({ max: maxEntries })
  const versions = new LRUCache<string, string>({ max: maxEntries })

  const holderOf = (key: string, token: string) => {
    const holder = held.get(key)
    return holder?.token === token ? holder : undefined
  }

  const isOvertaken = ({ resource, updatedAt }: ResourceVersion) => (versions.get(resource) ?? '') > updatedAt

  function makeRoom(now: number): void {
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
      if (!held.has(key) && held.size >= maxEntries) makeRoom(now)
      ended.delete(key)
      const token = crypto.randomUUID()
      const done = new Set(before?.done)
      held.set(key, { token, leasedUntil: now + leaseMs, done })
      return { state: 'reserved', token, done: [...done], stale: version !== undefined && isOvertaken(version) }
    },

    async renew(key, token, { leaseMs, done }) {
      const holder = holderOf(key, token)
      if (!holder) return false
      holder.leasedUntil = performance.now() + leaseMs
      for (const name of done) holder.done.add(name)
      return true
    },

    async complete(key, token, { retentionMs, version }) {
      if (!holderOf(key, token)) return false
      held.delete(key)
      ended.set(key, { isCompleted: true, done: new Set() }, { ttl: retentionMs })
      if (version && !isOvertaken(version)) {
        versions.set(version.resource, version.updatedAt, { ttl: retentionMs })
      }
      return true
    },

    async release(key, token, { done, retentionMs }) {
      const holder = holderOf(key, token)
      if (!holder) return false
      held.delete(key)
      ended.set(key, { isCompleted: false, done: new Set([...holder.done, ...done]) }, { ttl: retentionMs })
      return true
    },
  }
}
