import { sharesTimers } from './platform.ts'

/** The longest delay of a timer, in milliseconds: with a longer one it fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1

/** How long a delivery may take, from the moment the receiver was given it. */
export interface Deadline {
  /** Milliseconds until the deadline; never negative. */
  remaining(): number
}

/** Never expires: for stored, redelivered and background work. */
export const NO_DEADLINE: Deadline = { remaining: () => Number.POSITIVE_INFINITY }

/** Resolves after so many milliseconds; with 0, once what is ready to run has run. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

export function createDeadline(ms: number): Deadline {
  const end = performance.now() + ms
  return { remaining: () => Math.max(0, end - performance.now()) }
}

/**
 * Gives the outcome of `work`, or rejects with the error of `late` once `ms` milliseconds have passed. The work itself
 * goes on.
 *
 * On Node, a timer for each delivery takes a quarter of the time of a small delivery over HTTP. Most work ends within a
 * few milliseconds, so timers are started together, {@link GATHER_MS} later, and only for work that has not ended by
 * then.
 */
export function withTimeout<T>(work: PromiseLike<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const wait: TimedWait = { end: performance.now() + ms, expire: undefined, timer: undefined }
    // `late` runs in the async context of this call, and not in that of the call whose timer starts all of them.
    new Promise<void>((expire) => {
      wait.expire = expire
    }).then(() => reject(late()))
    if (sharesTimers && ms > GATHER_MS) gather(wait)
    else start(wait)
    work.then(
      (value) => {
        stop(wait)
        resolve(value)
      },
      (error) => {
        stop(wait)
        reject(error)
      },
    )
  })
}

/**
 * A wait for work that may be late. Once it is over it references nothing, because it may still be in the gathered
 * list.
 */
interface TimedWait {
  readonly end: number
  expire: (() => void) | undefined
  timer: ReturnType<typeof setTimeout> | undefined
}

function start(wait: TimedWait): void {
  if (wait.expire) wait.timer = setTimeout(wait.expire, Math.min(wait.end - performance.now(), MAX_TIMER_MS))
}

function stop(wait: TimedWait): void {
  wait.expire = undefined
  if (wait.timer) clearTimeout(wait.timer)
}

const GATHER_MS = 25
let gathered: TimedWait[] = []

function gather(wait: TimedWait): void {
  const isFirst = gathered.push(wait) === 1
  if (isFirst) setTimeout(startGathered, GATHER_MS)
}

function startGathered(): void {
  const waits = gathered
  gathered = []
  waits.forEach(start)
}
