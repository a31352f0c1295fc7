import * as z from 'zod'
import { FAILURES_TO_OPEN } from '../../commerce-layer/limits.ts'
import type { DeliveryRecord, RecordStatistics } from '../../recorder/record.ts'
import type { Health } from '../api.ts'
import type { Context } from './context.ts'
import { readInput, toRecord } from './read-query.ts'
import type { Route } from './routes.ts'
import { defined } from './write-delivery.ts'

const MINUTE_MS = 60_000
/** A day. */
const MAX_MINUTES = 1440
/** How many spans of time are drawn. */
const SPANS = 60
/** How many of the last deliveries are looked at for failures in a row. */
const RECENT = 500

const FILTER = z.strictObject({ minutes: z.coerce.number().int().min(1).max(MAX_MINUTES).default(SPANS) })

export function listHealthRoutes({ settings, ask }: Context): readonly Route[] {
  const { recorder } = settings
  if (!recorder) return []
  return [
    {
      method: 'GET',
      path: '/api/health',
      async answer({ request }) {
        const { minutes } = readInput(FILTER, toRecord(request.url))
        const spanMs = Math.ceil(minutes / SPANS) * MINUTE_MS
        const begun = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS + MINUTE_MS
        const since = new Date(begun - Math.ceil((minutes * MINUTE_MS) / spanMs) * spanMs)
        const { records } = await ask('recorder', () => recorder.list({ limit: RECENT }))
        const statistics = await ask('recorder', () => recorder.statistics({ since, spanMs }))
        return Response.json(toHealth(statistics, { since, spanMs, streaks: listStreaks(records) }))
      },
    },
  ]
}

function toHealth(
  { spans, missed, records }: RecordStatistics,
  { since, spanMs, streaks }: { readonly since: Date; readonly spanMs: number; readonly streaks: Health['streaks'] },
): Health {
  return {
    startedAt: since.toISOString(),
    spanMs,
    spans: spans.map(({ startedAt, outcomes, codes, p50, p99 }) => ({
      startedAt: startedAt.toISOString(),
      outcomes,
      codes,
      ...defined({ p50, p99 }),
    })),
    missed,
    records,
    streaks,
  }
}

/** The last genuine delivery of a topic knows how many have failed in a row. */
function listStreaks(newestFirst: readonly DeliveryRecord[]): Health['streaks'] {
  const failures = new Map<string, number>()
  for (const { topic, outcome, source, consecutiveFailures } of newestFirst) {
    if (topic === undefined || outcome === 'refused' || source === 'sender' || failures.has(topic)) continue
    failures.set(topic, consecutiveFailures)
  }
  return [...failures]
    .filter(([, count]) => count > 0)
    .map(([topic, count]) => ({ topic, failures: count, failuresLeft: Math.max(0, FAILURES_TO_OPEN - count) }))
    .sort((one, other) => one.failuresLeft - other.failuresLeft)
}
