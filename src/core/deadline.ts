import { platform } from './platform.ts'

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

/** @param startedAt of `performance.now()`. */
export function createDeadline(ms: number, startedAt = performance.now()): Deadline {
  const end = startedAt + ms
  return { remaining: () => Math.max(0, end - performance.now()) }
}

/**
 * Gives the outcome of `work`, or rejects with the error of `late` once `ms` milliseconds have passed. The work itself
 * goes on.
 */
export function withTimeout<T>(work: PromiseLike<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const wait = new TimedWait(ms)
    // `late` runs in the async context of this call, and not in that of the call whose timer starts all of them.
    new Promise<void>((expire) => {
      wait.expire = expire
    }).then(() => reject(late()))
    platform.gather(wait, ms)
    work.then(
      (value) => {
        wait.stop()
        resolve(value)
      },
      (error) => {
        wait.stop()
        reject(error)
      },
    )
  })
}

/**
 * A wait for work that may be late. Once it is over it references nothing, because the platform may not have started
 * its timer yet.
 */
class TimedWait {
  expire: (() => void) | undefined
  readonly #end: number
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(ms: number) {
    this.#end = performance.now() + ms
  }

  start(): void {
    if (this.expire) this.#timer = setTimeout(this.expire, Math.min(this.#end - performance.now(), MAX_TIMER_MS))
  }

  stop(): void {
    this.expire = undefined
    clearTimeout(this.#timer)
  }
}
