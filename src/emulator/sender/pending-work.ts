/** A counter of work in progress. */
export interface PendingWork {
  /** Counts the work until it settles, and returns it. */
  add<T>(work: Promise<T>): Promise<T>
  /** Resolves when no work is in progress. */
  settled(): Promise<void>
}

export function createPendingWork(): PendingWork {
  let count = 0
  let waiting: (() => void)[] = []

  function finish(): void {
    count -= 1
    if (count > 0) return
    const resolvers = waiting
    waiting = []
    for (const resolve of resolvers) resolve()
  }

  return {
    add(work) {
      count += 1
      return work.finally(finish)
    },
    settled: () => new Promise((resolve) => (count === 0 ? resolve() : waiting.push(resolve))),
  }
}
