import type { DeadLetter, DeadLetterFilter } from '../../core/inbox/inbox.ts'

/** Whether a dead letter matches every field of the filter that is given. Both times are inclusive. */
export function matchesFilter({ topic, failedAt, error }: DeadLetter, filter: DeadLetterFilter): boolean {
  const { failedSince, failedUntil } = filter
  if (filter.topic !== undefined && filter.topic !== topic) return false
  if (filter.code !== undefined && filter.code !== error.code) return false
  return !(failedSince && failedAt < failedSince) && !(failedUntil && failedAt > failedUntil)
}
