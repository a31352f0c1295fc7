import type { Lane } from './job.ts'

/**
 * When each lane is to be asked for jobs: at once after a wakeup, when its next delayed job is due, and every `pollMs`
 * in any case. Times are those of the monotonic clock.
 */
export interface Schedule {
  isDue(lane: Lane): boolean
  /**
   * Lets a lane rest until the next poll. Called before the lane is asked, so that a wakeup that comes meanwhile ends
   * the rest.
   */
  rest(lane: Lane): void
  /** Ends the rest of a lane after `ms` milliseconds, if it does not end earlier. Default: at once. */
  wake(lane: Lane, ms?: number): void
  /** Resolves when one of the lanes is due, after `maxMs` milliseconds, or when the signal is aborted. */
  wait(lanes: readonly Lane[], maxMs: number, signal: AbortSignal): Promise<void>
  /** Whether somebody waits, and so could take a job. */
  hasWaiting(): boolean
}

export function createSchedule(pollMs: number): Schedule {
  const dueTimes = new WeakMap<Lane, number>()
  const waiting = new Set<() => void>()
  let waiters = 0

  const findDueTime = (lane: Lane) => dueTimes.get(lane) ?? 0

  /** Resolves after the time, on any wakeup, or when the signal is aborted. */
  function waitForChange(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        waiting.delete(end)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      waiting.add(end)
      signal.addEventListener('abort', end)
    })
  }

  return {
    isDue: (lane) => findDueTime(lane) <= performance.now(),
    rest: (lane) => void dueTimes.set(lane, performance.now() + pollMs),
    wake(lane, ms = 0) {
      const time = performance.now() + ms
      if (time >= findDueTime(lane)) return
      dueTimes.set(lane, time)
      for (const end of [...waiting]) end()
    },
    async wait(lanes, maxMs, signal) {
      const latest = performance.now() + maxMs
      waiters++
      while (!signal.aborted) {
        const ms = Math.min(latest, ...lanes.map(findDueTime)) - performance.now()
        if (ms <= 0) break
        await waitForChange(ms, signal)
      }
      waiters--
    },
    hasWaiting: () => waiters > 0,
  }
}
