import type { Lane } from './job.ts'

/** How long the count is good for, but for what this process has done since. Nobody waits for the next one if it is asked for sooner. */
const COUNT_MS = 1000

/** Knows about how many deliveries are not handled yet, and so whether there is room for one more. */
export function createBacklog(maxQueued: number): {
  isLeft(lanes: readonly Lane[]): Promise<boolean>
  /** Says that this many more of them there are, or less. */
  count(change: number): void
} {
  let counting: Promise<void> | undefined
  let counted = 0
  let countedAt = 0
  let changed = 0

  async function recount(lanes: readonly Lane[]): Promise<void> {
    const [begin, before] = [Date.now(), changed]
    counted = await openIn(lanes)
    countedAt = begin
    changed -= before
  }

  return {
    async isLeft(lanes) {
      const age = Date.now() - countedAt
      if (age > COUNT_MS / 2 && !counting) {
        counting = recount(lanes).finally(() => {
          counting = undefined
        })
        counting.catch(() => {})
      }
      if (age > COUNT_MS) await counting
      return counted + changed < maxQueued
    },
    count(change) {
      changed += change
    },
  }
}

async function openIn(lanes: readonly Lane[]): Promise<number> {
  const counts = await Promise.all(lanes.map(({ queue }) => queue.getJobCounts('waiting', 'active', 'delayed')))
  return counts.flatMap((lane) => Object.values(lane)).reduce((sum, jobs) => sum + jobs, 0)
}
