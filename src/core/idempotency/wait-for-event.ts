import { type Deadline, pause } from '../deadline.ts'
import { WebhookError } from '../errors.ts'
import type { Reservation } from './store.ts'

/** Milliseconds between two questions: the first pause, which doubles. */
const FIRST_PAUSE_MS = 25
const MAX_WAIT_MS = 2000

type Ended = Exclude<Reservation, { readonly state: 'in-progress' }> | undefined

/**
 * Makes the function that reserves an event, and waits while another delivery of it is under way. Usually that one ends
 * soon, and the sender need not send this one again. It waits for half of what is left of the deadline, and two seconds
 * at most. Without a deadline it does not wait: a worker has others to handle meanwhile, and comes back to this one.
 *
 * Only one delivery of an event waits here at a time, so whoever repeats a captured one holds a single place.
 */
export function createEventWait() {
  const waiting = new Set<string>()

  /** @throws WebhookError `IN_PROGRESS` */
  return async function reserveOrWait(
    eventKey: string,
    deadline: Deadline,
    reserve: () => Promise<Reservation | undefined>,
  ): Promise<Ended> {
    const first = await reserve()
    if (first?.state !== 'in-progress') return first
    const left = deadline.remaining()
    if (waiting.has(eventKey) || !Number.isFinite(left)) throw new WebhookError('IN_PROGRESS')
    waiting.add(eventKey)
    try {
      const end = performance.now() + Math.min(MAX_WAIT_MS, left / 2)
      for (let ms = FIRST_PAUSE_MS; performance.now() < end; ms *= 2) {
        await pause(Math.min(ms, end - performance.now()))
        const next = await reserve()
        if (next?.state !== 'in-progress') return next
      }
    } finally {
      waiting.delete(eventKey)
    }
    throw new WebhookError('IN_PROGRESS')
  }
}
