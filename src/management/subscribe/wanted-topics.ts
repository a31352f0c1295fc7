import { expandPattern, matchesTopic } from '../../commerce-layer/topic-patterns.ts'
import type { Subscription } from '../../index.ts'

/**
 * Collects the topics that handlers name. `orders.*` names all topics of orders in the catalog. `*` names none, because
 * a webhook has exactly one topic.
 */
export function collectTopics(subscriptions: readonly Subscription[]): ReadonlySet<string> {
  return new Set(subscriptions.flatMap(({ topics }) => topics.flatMap(expandPattern)))
}

/** Collects the paths that all handlers of a topic include, sorted. A `*.destroy` has nothing to include. */
export function collectIncludes(topic: string, subscriptions: readonly Subscription[]): string[] {
  if (topic.endsWith('.destroy')) return []
  const paths = subscriptions.flatMap(({ topics, include }) => (matchesTopic(topics, topic) ? include : []))
  return [...new Set(paths.map((path) => path.replaceAll('?', '')))].sort()
}

/** Describes the patterns of handlers that lead to no webhook, a sentence for each. */
export function describeUnsubscribed(subscriptions: readonly Subscription[]): string[] {
  const patterns = new Set(subscriptions.flatMap(({ topics }) => topics))
  const empty = [...patterns].filter((pattern) => pattern !== '*' && expandPattern(pattern).length === 0)
  return [
    ...(collectTopics(subscriptions).size === 0
      ? ['No handler names a topic, so there is nothing to subscribe to.']
      : []),
    ...(patterns.has('*') ? ['`*` subscribes to nothing by itself: a webhook must name its topic.'] : []),
    ...empty.map((pattern) => `\`${pattern}\` subscribes to nothing: the catalog has no such resource.`),
  ]
}
