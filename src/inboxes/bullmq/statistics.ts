import type { InboxStatistics } from '../../core/inbox/inbox.ts'
import { type DeliveryJob, isUnreadable, type Lane } from './job.ts'

/** How many delayed jobs are read from each end, because each comes with its body. So `oldest` is an estimate. */
const SAMPLE_SIZE = 10

export async function readStatistics(lanes: readonly Lane[]): Promise<InboxStatistics> {
  const [counts, oldest] = await Promise.all([
    Promise.all(lanes.map(countJobs)),
    Promise.all(lanes.map(findOldestTimestamp)),
  ])
  const sum = (state: string) => counts.reduce((total, lane) => total + (lane[state] ?? 0), 0)
  const first = Math.min(...oldest)
  return {
    queued: sum('waiting'),
    running: sum('active'),
    failed: sum('delayed'),
    unhandled: 0,
    byTopic: {},
    dead: sum('failed'),
    oldest: first === Number.POSITIVE_INFINITY ? undefined : new Date(first),
  }
}

function countJobs({ queue }: Lane): Promise<Readonly<Record<string, number>>> {
  return queue.getJobCounts('waiting', 'active', 'delayed', 'failed')
}

async function findOldestTimestamp({ queue }: Lane): Promise<number> {
  const jobs: readonly (readonly DeliveryJob[])[] = await Promise.all([
    queue.getJobs(['waiting'], 0, 0, true),
    queue.getJobs(['active']),
    queue.getJobs(['delayed'], 0, SAMPLE_SIZE - 1, true),
    queue.getJobs(['delayed'], 0, SAMPLE_SIZE - 1, false),
  ]).catch((error: unknown) => {
    // A job that somebody else has written is repaired when a worker takes it.
    if (!isUnreadable(error)) throw error
    return []
  })
  const times = jobs.flat().flatMap((job) => job?.timestamp ?? [])
  return Math.min(...times.filter((time) => !Number.isNaN(new Date(time).getTime())))
}
