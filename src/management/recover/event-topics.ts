import type { EventCallback, Webhook } from '@commercelayer/sdk'
import { LAST_CALL_AFTER_MS } from '../../commerce-layer/limits.ts'
import { expandPattern, isSubscribed } from '../../commerce-layer/topic-patterns.ts'
import { carries, TOPICS } from '../../commerce-layer/topics.ts'
import type { Subscription } from '../../index.ts'
import type { RequestOptions } from '../client/abort.ts'
import type { Api } from '../resources/api.ts'

/** Finds the topic of the event that a call was made for; `undefined` if no handled topic is known to be it. */
export type FindTopic = (call: EventCallback) => Promise<string | undefined>

export interface TopicSearch extends RequestOptions {
  /** ISO 8601. */
  readonly since: string
  readonly until?: string | undefined
  /** The only topic that is wanted. Default: all that have a handler. */
  readonly topic?: string | undefined
}

/**
 * Creates the function that finds topics. An event callback does not have one, and its webhook may have been given
 * another topic since. So the webhook's topic is taken only if the webhook was not changed since the event. Otherwise
 * the call is looked for among the `last_event_callbacks` of the events.
 *
 * The events of a topic are read once, when the first call needs them. Memory: the ids of their calls.
 */
export function createTopicFinder(api: Api, subscriptions: readonly Subscription[], search: TopicSearch): FindTopic {
  const known = [...CATALOG, ...subscriptions.flatMap(({ topics }) => topics.flatMap(expandPattern))]
  const calls = new Map<string, ReadonlySet<string>>()

  async function hasCall(topic: string, callId: string): Promise<boolean> {
    const ids = calls.get(topic) ?? (await readCallIds(api, topic, search))
    calls.set(topic, ids)
    return ids.has(callId)
  }

  function isWanted(topic: string): boolean {
    return isSubscribed(subscriptions, topic) && (search.topic ?? topic) === topic
  }

  return async ({ id, webhook, payload, created_at }) => {
    if (!webhook) return undefined
    if (isUnchangedSince(webhook, Date.parse(created_at) - LAST_CALL_AFTER_MS)) {
      return isWanted(webhook.topic) ? webhook.topic : undefined
    }
    // The webhook's own topic comes first: most changes are of something else.
    const candidates = new Set([webhook.topic, ...known].filter(isWanted))
    for (const topic of candidates) {
      if (carries(topic, String(payload?.data?.type)) && (await hasCall(topic, id))) return topic
    }
    return undefined
  }
}

/** Finds the ids of the webhooks that have a topic, or may have had it when an event happened that is searched for. */
export async function findWebhooksOfTopic(
  api: Api,
  topic: string,
  { since, signal }: Pick<TopicSearch, 'since' | 'signal'>,
): Promise<string[]> {
  const ids: string[] = []
  for await (const webhook of api.webhooks.list({ signal })) {
    const isCandidate = webhook.topic === topic || !isUnchangedSince(webhook, Date.parse(since) - LAST_CALL_AFTER_MS)
    if (isCandidate) ids.push(webhook.id)
  }
  return ids
}

const CATALOG = Object.entries(TOPICS).flatMap(([resource, events]) => events.map((event) => `${resource}.${event}`))

/** `false` for a webhook without a time. */
function isUnchangedSince({ updated_at }: Webhook, time: number): boolean {
  return Date.parse(updated_at) < time
}

async function readCallIds(
  api: Api,
  topic: string,
  { since, until, signal }: TopicSearch,
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  const from = new Date(Date.parse(since) - LAST_CALL_AFTER_MS)
  for await (const { last_event_callbacks } of api.events.list({ name: topic, since: from, until }, { signal })) {
    for (const { id } of last_event_callbacks ?? []) ids.add(id)
  }
  return ids
}
