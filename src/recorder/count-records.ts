import type { DeliveryRecord, RecordedSpan } from './record.ts'
import type { StatisticsQuery } from './records.ts'

/** What is counted of a record. */
export interface CountedRecord extends Pick<DeliveryRecord, 'outcome'> {
  /** Milliseconds since 1970. */
  readonly receivedAt: number
  readonly code: string | undefined
  readonly handlerMs: readonly number[]
}

/** Counts records by spans of time, from `since` until now. Those of before are left out. */
export function countRecords(records: Iterable<CountedRecord>, { since, spanMs }: StatisticsQuery): RecordedSpan[] {
  const start = since.getTime()
  const length = Math.max(1, Math.ceil((Date.now() + 1 - start) / spanMs))
  const spans = Array.from({ length }, () => ({
    outcomes: {} as Partial<Record<DeliveryRecord['outcome'], number>>,
    codes: {} as Record<string, number>,
    handlerMs: [] as number[],
  }))
  for (const { receivedAt, outcome, code, handlerMs } of records) {
    const span = spans[Math.floor((receivedAt - start) / spanMs)]
    if (!span) continue
    span.outcomes[outcome] = (span.outcomes[outcome] ?? 0) + 1
    if (code !== undefined) span.codes[code] = (span.codes[code] ?? 0) + 1
    span.handlerMs.push(...handlerMs)
  }
  return spans.map(({ outcomes, codes, handlerMs }, i) => {
    handlerMs.sort((one, other) => one - other)
    const startedAt = new Date(start + i * spanMs)
    return { startedAt, outcomes, codes, p50: quantile(handlerMs, 0.5), p99: quantile(handlerMs, 0.99) }
  })
}

function quantile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
}
