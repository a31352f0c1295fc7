import { sharesTimers } from './platform.ts'

/** The longest delay of a timer, in milliseconds: with a longer one it fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1

/** How long a delivery may take, from the moment the receiver was given it. */
export interface Deadline {
  /** Milliseconds that are left; never negative. */
  remaining(): number
}

/** For handlers whose end nobody waits for. */
export const NO_DEADLINE: Deadline = { remaining: () => Number.POSITIVE_INFINITY }

export function createDeadline(ms: number): Deadline {
  const end = performance.now() + ms
  return { remaining: () => Math.max(0, end - performance.now()) }
}

/**
 * Gives the outcome of `work`, or rejects with the error of `late` once `ms` milliseconds have passed. The work itself goes on.
 *
 * On Node, a timer for each delivery takes a quarter of the time of a small delivery over HTTP. Most work ends within a few
 * milliseconds, so timers are started together, {@link GATHER_MS} later, and only for work that has not ended by then.
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

/** A wait for work that may be late. Once it is over it references nothing, because it may still be in the gathered list. */
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
