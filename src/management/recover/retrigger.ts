import type { Event } from '@commercelayer/sdk'
import type { RequestOptions } from '../client/abort.ts'
import type { Api } from '../resources/api.ts'

/** An event whose payload can never do, known by the calls that it led to. */
export interface IncompleteEvent {
  readonly topic: string
  readonly callbackUrl: string
  /** When the first of its calls was made. */
  readonly calledAt: string
  readonly callbackIds: ReadonlySet<string>
}

/** How long before the first call that is known of it an event is looked for: that may be a retry. An assumption. */
const LEAD_MS = 3_600_000

/**
 * Has Commerce Layer send events again, each once, with what their webhooks include by now. One that has led to a call which
 * succeeded, because it was triggered before, is left alone. Found by their topic, time and `last_event_callbacks`; how many of
 * these the API keeps is not documented. Each page of a topic's events is read once, however many of them
 * are looked for.
 *
 * @param told is given each of `wanted`, once, with what became of it.
 */
export async function retriggerEvents<T extends IncompleteEvent>(
  api: Api,
  wanted: Iterable<T>,
  told: (one: T, end: 'retriggered' | 'already-delivered' | 'not-found') => void,
  options: RequestOptions,
): Promise<void> {
  const byTopic = new Map<string, Set<T>>()
  for (const one of wanted) byTopic.set(one.topic, (byTopic.get(one.topic) ?? new Set()).add(one))
  for (const [topic, left] of byTopic) {
    for await (const event of api.events.list({ name: topic, ...findPeriod([...left]) }, options)) {
      const found = [...left].filter((one) => eventCalls(event).some(({ id }) => one.callbackIds.has(id)))
      const waiting = found.filter((one) => !hasReached(event, one.callbackUrl))
      if (waiting.length > 0) await api.events.trigger(event.id, options)
      for (const one of found) {
        left.delete(one)
        told(one, waiting.includes(one) ? 'retriggered' : 'already-delivered')
      }
      if (left.size === 0) break
    }
    for (const one of left) told(one, 'not-found')
  }
}

function findPeriod(wanted: readonly IncompleteEvent[]): { since: string; until: string } {
  const times = wanted.map(({ calledAt }) => Date.parse(calledAt)).sort((one, other) => one - other)
  const [first = 0, last = first] = [times[0], times.at(-1)]
  return { since: new Date(first - LEAD_MS).toISOString(), until: new Date(last + 1).toISOString() }
}

function eventCalls(event: Event): NonNullable<Event['last_event_callbacks']> {
  return event.last_event_callbacks ?? []
}

function hasReached(event: Event, callbackUrl: string): boolean {
  return eventCalls(event).some((call) => call.callback_url === callbackUrl && call.response_code?.startsWith('2'))
}
