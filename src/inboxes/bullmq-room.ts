import type { Lane } from './bullmq-job.ts'

/** How long the count is good for, but for what this process has done since. */
const COUNT_MS = 1000

/** Knows about how many deliveries are not handled yet, and so whether there is room for one more. */
export function createRoom(maxQueued: number): {
  isLeft(lanes: readonly Lane[]): Promise<boolean>
  /** Says that this many more of them there are, or less. */
  count(change: number): void
} {
  let counted: Promise<number> | undefined
  let countedAt = 0
  let changed = 0
  return {
    async isLeft(lanes) {
      if (!counted || Date.now() > countedAt + COUNT_MS) {
        countedAt = Date.now()
        changed = 0
        counted = openIn(lanes)
        counted.catch(() => {
          counted = undefined
        })
      }
      return (await counted) + changed < maxQueued
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
