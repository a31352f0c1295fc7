/**
 * An auto-reset event: `wait` resolves on the next `notify`, or at once if there was one since the last `wait`. For one
 * waiter.
 */
export interface Wakeup {
  notify(): void
  /** Resolves on a notification, or after `ms` milliseconds. Default: waits without a limit. */
  wait(ms?: number): Promise<void>
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
        const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
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
