/** Counts work until there is none. */
export interface UnderWay {
  /** Counts work, and gives it back. */
  add<T>(work: Promise<T>): Promise<T>
  /** Resolves when nothing that was added is under way. */
  none(): Promise<void>
}

export function createUnderWay(): UnderWay {
  let count = 0
  let waiting: (() => void)[] = []
  const leave = () => {
    count -= 1
    if (count > 0) return
    const waited = waiting
    waiting = []
    for (const resolve of waited) resolve()
  }
  return {
    add(work) {
      count += 1
      return work.finally(leave)
    },
    none: () => new Promise((resolve) => (count === 0 ? resolve() : waiting.push(resolve))),
  }
}
