/** Waiting that can be cut short, by whoever it is for. */
export interface Pauses {
  /** `true` once `ms` milliseconds have passed, `false` as soon as it is called off. */
  wait(owner: object, ms: number): Promise<boolean>
  /** Calls off what is waited for on behalf of an owner. */
  cancel(owner: object): void
  /** Calls off everything, now and from now on. */
  close(): void
}

/** A timer counts to no more than this, and fires at once beyond it. */
const MAX_MS = 2 ** 31 - 1

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
        const timer = setTimeout(end, Math.min(ms, MAX_MS), true)

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
