/** Pauses that can be canceled by their owner. */
export interface Pauses {
  /** Resolves with `true` after `ms` milliseconds, or with `false` when it is canceled. */
  wait(owner: object, ms: number): Promise<boolean>
  /** Cancels all pauses of an owner. */
  cancel(owner: object): void
  /** Cancels all pauses, and every later one. */
  close(): void
}

/** The longest timer of Node. A longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

export function createPauses(): Pauses {
  const pending = new Map<object, Set<(hasPassed: boolean) => void>>()
  let isClosed = false

  const cancel = (owner: object) => {
    for (const end of [...(pending.get(owner) ?? [])]) end(false)
  }

  return {
    wait(owner, ms) {
      if (isClosed) return Promise.resolve(false)
      return new Promise((resolve) => {
        const ends = pending.get(owner) ?? new Set()
        pending.set(owner, ends.add(end))
        const timer = setTimeout(end, Math.min(ms, MAX_TIMER_MS), true)

        function end(hasPassed: boolean): void {
          clearTimeout(timer)
          ends.delete(end)
          if (ends.size === 0) pending.delete(owner)
          resolve(hasPassed)
        }
      })
    },
    cancel,
    close() {
      isClosed = true
      for (const owner of [...pending.keys()]) cancel(owner)
    },
  }
}
