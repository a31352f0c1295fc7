import { nextTurn } from './platform.ts'

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
 * Node makes and drops a list of timers for a timer that is alone of its length, which costs a small delivery a tenth of its time
 * over HTTP. Most are over within a turn of the event loop, so the timer is set a turn later.
 */
export function within<T>(work: PromiseLike<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    let isOver = false
    let timer: ReturnType<typeof setTimeout> | undefined
    nextTurn(() => {
      if (!isOver) timer = setTimeout(() => reject(late()), ms)
    })
    work.then(resolve, reject).then(() => {
      isOver = true
      clearTimeout(timer)
    })
  })
}
