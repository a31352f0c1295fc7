import type { Event } from '@commercelayer/sdk'
import { LAST_CALL_AFTER_MS } from '../../commerce-layer/limits.ts'
import type { RequestOptions } from '../client/abort.ts'
import type { Api } from '../resources/api.ts'

/** An event whose payload lacks an include, identified by the calls that were made for it. */
export interface IncompleteEvent {
  readonly topic: string
  readonly callbackUrl: string
  /** When the first of its calls was made. */
  readonly calledAt: string
  readonly callbackIds: ReadonlySet<string>
}

export type RetriggerOutcome = 'retriggered' | 'already-delivered' | 'not-found'

/**
 * Has Commerce Layer send events again, each once, with the resources that their webhooks include now. An event is left
 * alone if one of its calls has succeeded, because it was triggered before.
 *
 * Events are found by topic, time and `last_event_callbacks`; how many of these the API keeps is not documented. Each
 * page of a topic's events is read once, however many events are searched for.
 *
 * @param onOutcome is called once for each of `incomplete`.
 */
export async function retriggerEvents<T extends IncompleteEvent>(
  api: Api,
  incomplete: Iterable<T>,
  onOutcome: (event: T, outcome: RetriggerOutcome) => void,
  options: RequestOptions,
): Promise<void> {
  for (const [topic, remaining] of groupByTopic(incomplete)) {
    for await (const event of api.events.list({ name: topic, ...findPeriod([...remaining]) }, options)) {
      const found = [...remaining].filter(({ callbackIds }) => listCalls(event).some(({ id }) => callbackIds.has(id)))
      const waiting = found.filter(({ callbackUrl }) => !hasReached(event, callbackUrl))
      if (waiting.length > 0) await api.events.trigger(event.id, options)
      for (const one of found) {
        remaining.delete(one)
        onOutcome(one, waiting.includes(one) ? 'retriggered' : 'already-delivered')
      }
      if (remaining.size === 0) break
    }
    for (const one of remaining) onOutcome(one, 'not-found')
  }
}

function groupByTopic<T extends IncompleteEvent>(events: Iterable<T>): Map<string, Set<T>> {
  const byTopic = new Map<string, Set<T>>()
  for (const event of events) byTopic.set(event.topic, (byTopic.get(event.topic) ?? new Set()).add(event))
  return byTopic
}

function findPeriod(events: readonly IncompleteEvent[]): { since: string; until: string } {
  const times = events.map(({ calledAt }) => Date.parse(calledAt)).sort((one, other) => one - other)
  const [first = 0, last = first] = [times[0], times.at(-1)]
  return { since: new Date(first - LAST_CALL_AFTER_MS).toISOString(), until: new Date(last + 1).toISOString() }
}

function listCalls(event: Event): NonNullable<Event['last_event_callbacks']> {
  return event.last_event_callbacks ?? []
}

function hasReached(event: Event, callbackUrl: string): boolean {
  return listCalls(event).some((call) => call.callback_url === callbackUrl && call.response_code?.startsWith('2'))
}
