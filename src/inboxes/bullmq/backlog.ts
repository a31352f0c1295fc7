import type { Lane } from './job.ts'

/** Compares the number of open deliveries with `maxQueued`. */
export interface Backlog {
  hasRoom(lanes: readonly Lane[]): Promise<boolean>
  /** Records that this process has stored deliveries, or with a negative number that it has handled them. */
  add(deliveries: number): void
}

/** How long a count is used, together with what this process has changed since. */
const COUNT_VALID_MS = 1000

/**
 * Counts in the background while the last count is still valid, so that `put` seldom waits for a count.
 *
 * @param countUnhandled counts the deliveries that wait for a handler, which are not open.
 */
export function createBacklog(maxQueued: number, countUnhandled: () => Promise<number> = async () => 0): Backlog {
  let counting: Promise<void> | undefined
  let counted = 0
  let countedAt = 0
  let changed = 0

  async function recount(lanes: readonly Lane[]): Promise<void> {
    const [startedAt, changedBefore] = [Date.now(), changed]
    const [open, unhandled] = await Promise.all([countOpen(lanes), countUnhandled()])
    counted = open - unhandled
    countedAt = startedAt
    changed -= changedBefore
  }

  return {
    async hasRoom(lanes) {
      const age = Date.now() - countedAt
      if (age > COUNT_VALID_MS / 2 && !counting) {
        counting = recount(lanes).finally(() => {
          counting = undefined
        })
        counting.catch(() => {})
      }
      if (age > COUNT_VALID_MS) await counting
      return counted + changed < maxQueued
    },
    add(deliveries) {
      changed += deliveries
    },
  }
}

async function countOpen(lanes: readonly Lane[]): Promise<number> {
  const counts = await Promise.all(lanes.map(({ queue }) => queue.getJobCounts('waiting', 'active', 'delayed')))
  return counts.flatMap((lane) => Object.values(lane)).reduce((sum, jobs) => sum + jobs, 0)
}
