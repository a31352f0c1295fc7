/** How long a delivery may take, from the moment the receiver was handed it. */
export interface Deadline {
  /** Milliseconds that are left; never negative. */
  remaining(): number
}

export function createDeadline(ms: number): Deadline {
  const end = performance.now() + ms
  return { remaining: () => Math.max(0, end - performance.now()) }
}

/** The outcome of `work`, or what `late` throws once `ms` milliseconds have passed. The work itself goes on. */
export function within<T>(work: PromiseLike<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), ms)
    work.then(resolve, reject).then(() => clearTimeout(timer))
  })
}
