/** Something to wait for, that may have happened already. For one who waits at a time. */
export interface Wakeup {
  notify(): void
  /** Resolves when it rings, or has rung since the last time; or after a while. */
  wait(ms: number): Promise<void>
}

export function createWakeup(): Wakeup {
  let isNotified = false
  let wake = () => {}
  return {
    notify() {
      isNotified = true
      wake()
    },
    async wait(ms) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
        if (isNotified) wake()
      })
      isNotified = false
    },
  }
}
