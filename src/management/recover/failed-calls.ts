import type { EventCallback } from '@commercelayer/sdk'
import { REDELIVER_AFTER_MS } from '../../commerce-layer/limits.ts'
import type { Api } from '../resources/api.ts'
import type { EventCallbackQuery } from '../resources/event-callbacks.ts'

export interface FailedCallsQuery extends Pick<EventCallbackQuery, 'webhookId' | 'topic' | 'signal'> {
  /** ISO 8601, as all of them; created then or later. */
  readonly since: string
  /** Created before; `asOf` at the latest, which is the default. */
  readonly until: string | undefined
  /** What the time is taken to be. */
  readonly asOf: string
}

/** The calls that were answered with anything but 2xx or not at all, in the order of their creation. Holds two pages. */
export function failedCalls(
  api: Api,
  { asOf, until = asOf, ...query }: FailedCallsQuery,
): AsyncIterable<EventCallback> {
  const over = new Date(Date.parse(asOf) - REDELIVER_AFTER_MS).toISOString()
  const refused = api.eventCallbacks({ ...query, until: earlier(until, asOf), outcome: 'failed' })
  const silent = api.eventCallbacks({ ...query, until: earlier(until, over), outcome: 'pending' })
  return mergeByTime(refused, silent)
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
