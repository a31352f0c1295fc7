import { sharesTimers } from './platform.ts'

/** A timer counts to no more than this, and fires at once beyond it. */
export const MAX_TIMER_MS = 2 ** 31 - 1

/** How long a delivery may take, from the moment the receiver was handed it. */
export interface Deadline {
  /** Milliseconds that are left; never negative. */
  remaining(): number
}

export function createDeadline(ms: number): Deadline {
  const end = performance.now() + ms
  return { remaining: () => Math.max(0, end - performance.now()) }
}

/**
 * The outcome of `work`, or what `late` throws once `ms` milliseconds have passed. The work itself goes on.
 *
 * On Node a timer for each delivery costs a small one a quarter of its time over HTTP. Most work is over in a few milliseconds,
 * so its timer is not set until {@link GATHER_MS} later, for all that has gathered by then, and only if it is still needed.
 */
export function withTimeout<T>(work: PromiseLike<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const watch: TimedWait = { end: performance.now() + ms, expire: () => reject(late()), timer: undefined }
    if (sharesTimers && ms > GATHER_MS) gather(watch)
    else start(watch)
    work.then(
      (value) => {
        stop(watch)
        resolve(value)
      },
      (error) => {
        stop(watch)
        reject(error)
      },
    )
  })
}

/** Somebody's wait for work that may be late; once that is over it holds on to nothing, for it may still be gathered. */
interface TimedWait {
  readonly end: number
  expire: (() => void) | undefined
  timer: ReturnType<typeof setTimeout> | undefined
}

function start(watch: TimedWait): void {
  if (watch.expire) watch.timer = setTimeout(watch.expire, Math.min(watch.end - performance.now(), MAX_TIMER_MS))
}

function stop(watch: TimedWait): void {
  watch.expire = undefined
  if (watch.timer) clearTimeout(watch.timer)
}

const GATHER_MS = 25
let gathered: TimedWait[] = []

function gather(watch: TimedWait): void {
  const isFirst = gathered.push(watch) === 1
  if (isFirst) setTimeout(startGathered, GATHER_MS)
}

function startGathered(): void {
  const watches = gathered
  gathered = []
  watches.forEach(start)
}
