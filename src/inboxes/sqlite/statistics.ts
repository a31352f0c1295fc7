import type { InboxStatistics } from '../../core/inbox/inbox.ts'
import type { DeliveryCounts } from '../../core/inbox/listing.ts'
import { type Bytes, toDate, toText } from './rows.ts'
import type { InboxStatements } from './statements.ts'

interface TopicRow {
  readonly topic: Bytes
  readonly open: number
  readonly behind: number
  readonly dead: number
  readonly unhandled: number
  /** Open, and due later than now. */
  readonly later: number
  readonly running: number
}

/** Counts by counters, so that it takes no longer the more deliveries are queued. */
export function readStatistics(sql: InboxStatements): InboxStatistics {
  const now = Date.now()
  const rows = sql.statistics.all(now, now, now) as readonly TopicRow[]
  const topics = rows.map(({ topic, open, behind, later, running, dead, unhandled }) => {
    const counts: DeliveryCounts = { queued: open - later + behind, running, failed: later - running, unhandled, dead }
    return [toText(topic), counts] as const
  })
  const sum = (of: (counts: DeliveryCounts) => number) => topics.reduce((total, [, counts]) => total + of(counts), 0)
  const { oldest } = sql.oldest.get() as { readonly oldest: number | null }
  return {
    queued: sum(({ queued }) => queued),
    running: sum(({ running }) => running),
    failed: sum(({ failed }) => failed),
    unhandled: sum(({ unhandled }) => unhandled),
    dead: sum(({ dead }) => dead),
    oldest: oldest === null ? undefined : toDate(oldest),
    byTopic: Object.fromEntries(topics),
  }
}
