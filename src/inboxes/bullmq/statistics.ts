import type { InboxStatistics } from '../../core/inbox/inbox.ts'
import type { DeliveryCounts } from '../../core/inbox/listing.ts'
import type { EngineJobs } from './engine-jobs.ts'

type Counts = { -readonly [State in keyof DeliveryCounts]: number }

export async function readStatistics({ count }: Pick<EngineJobs, 'count'>): Promise<InboxStatistics> {
  const total = createCounts()
  const byTopic = new Map<string, Counts>()
  let first = Number.POSITIVE_INFINITY
  for (const { topic, state, count: jobs, oldest } of await count()) {
    const ofTopic = byTopic.get(topic) ?? createCounts()
    byTopic.set(topic, ofTopic)
    ofTopic[state] += jobs
    total[state] += jobs
    if (state !== 'unhandled' && state !== 'dead' && isTime(oldest)) first = Math.min(first, oldest)
  }
  const oldest = Number.isFinite(first) ? new Date(first) : undefined
  return { ...total, oldest, byTopic: Object.fromEntries(byTopic) }
}

function createCounts(): Counts {
  return { queued: 0, running: 0, failed: 0, unhandled: 0, dead: 0 }
}

/** Somebody else may have written any number. */
function isTime(time: number): boolean {
  return !Number.isNaN(new Date(time).getTime())
}
