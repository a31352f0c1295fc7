import type { EventCallback } from '@commercelayer/sdk'
import { REDELIVER_AFTER_MS } from '../../commerce-layer/limits.ts'
import type { Api } from '../resources/api.ts'
import type { EventCallbackQuery } from '../resources/event-callbacks.ts'

export interface FailedCallsQuery extends Pick<EventCallbackQuery, 'webhookId' | 'signal'> {
  /** ISO 8601, as the other times; created at this time or later. */
  readonly since: string
  /** Created before this time, and before `asOf`, which is the default. */
  readonly until: string | undefined
  /** The current time, as far as the search is concerned. */
  readonly asOf: string
}

/**
 * Lists the calls that failed, in the order of their creation: those that were answered with anything but 2xx, and
 * those that have had no answer for {@link REDELIVER_AFTER_MS}. Memory: two pages.
 */
export function listFailedCalls(
  api: Api,
  { asOf, until = asOf, ...query }: FailedCallsQuery,
): AsyncIterable<EventCallback> {
  const answeredBy = new Date(Date.parse(asOf) - REDELIVER_AFTER_MS).toISOString()
  const refused = api.eventCallbacks.list({ ...query, until: earlier(until, asOf), outcome: 'failed' })
  const unanswered = api.eventCallbacks.list({ ...query, until: earlier(until, answeredBy), outcome: 'pending' })
  return mergeByTime(refused, unanswered)
}

function earlier(one: string, other: string): string {
  return one < other ? one : other
}

async function* mergeByTime(
  ones: AsyncIterable<EventCallback>,
  others: AsyncIterable<EventCallback>,
): AsyncGenerator<EventCallback, void, undefined> {
  const sources = [ones[Symbol.asyncIterator](), others[Symbol.asyncIterator]()] as const
  let [one, other] = [await sources[0].next(), await sources[1].next()]
  while (!one.done || !other.done) {
    if (other.done || (!one.done && one.value.created_at <= other.value.created_at)) {
      yield one.value
      one = await sources[0].next()
    } else {
      yield other.value
      other = await sources[1].next()
    }
  }
}
