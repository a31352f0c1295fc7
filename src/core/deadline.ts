import { sharesTimers } from './platform.ts'

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
export function within<T>(work: PromiseLike<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const begun = performance.now()
    let isOver = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const start = () => {
      if (!isOver) timer = setTimeout(() => reject(late()), begun + ms - performance.now())
    }
    if (sharesTimers && ms > GATHER_MS) gather(start)
    else start()
    work.then(resolve, reject).then(() => {
      isOver = true
      clearTimeout(timer)
    })
  })
}

const GATHER_MS = 25
const gathered: (() => void)[] = []

function gather(start: () => void): void {
  const isFirst = gathered.push(start) === 1
  if (isFirst) setTimeout(startGathered, GATHER_MS)
}

function startGathered(): void {
  for (const start of gathered.splice(0)) start()
}
