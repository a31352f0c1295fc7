import { pause } from '../deadline.ts'
import { callStore } from './call-store.ts'
import type { EventLease } from './event-lease.ts'
import type { IdempotencyStore, Reservation } from './store.ts'

/**
 * Reserves a key for `leaseMs` milliseconds; `undefined` if the store failed and the handlers are to run all the same.
 */
export type ReserveFor = (leaseMs: number) => Promise<Reservation | undefined>

/** A look-up holds the former key for this many milliseconds, and others wait longer than that. */
const HELD_MS = 1
const PAUSE_MS = 25
const ATTEMPTS = 4

/**
 * Looks up what 0.1 recorded of an event under the key of a function, which had no topic in front. The names of
 * handlers that have succeeded are added to the lease.
 *
 * @returns what the former key says; it is `in-progress` only if a process of 0.1 handles the event.
 */
export async function lookUpFormerKey(
  key: string,
  reserve: ReserveFor,
  lease: EventLease,
  store: IdempotencyStore,
  retentionMs: number,
): Promise<'completed' | 'in-progress' | 'unknown'> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const found = await reserve(HELD_MS)
    if (!found) return 'unknown'
    if (found.state === 'completed') return 'completed'
    if (found.state === 'reserved') {
      const { token, done } = found
      for (const name of done) lease.markDone(name)
      const forgetMs = done.length > 0 ? retentionMs : HELD_MS
      await callStore(() => store.release(key, token, { done, retentionMs: forgetMs })).catch(() => false)
      return 'unknown'
    }
    // Another topic with the same key may be looking it up.
    await pause(PAUSE_MS)
  }
  return 'in-progress'
}
