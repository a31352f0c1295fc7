import { expandPattern, matchesTopic } from '../../commerce-layer/topic-patterns.ts'
import type { Subscription } from '../../index.ts'

/**
 * The topics that a handler names, `orders.*` being all that the catalogue has for orders. `*` names none: a webhook has exactly one
 * topic, and nobody wants 186 of them.
 */
export function wantedTopics(subscriptions: readonly Subscription[]): ReadonlySet<string> {
  return new Set(subscriptions.flatMap(({ topics }) => topics.flatMap(expandPattern)))
}

/** What all handlers of a topic need of a delivery together, sorted. What is destroyed has nothing to include. */
export function wantedIncludes(topic: string, subscriptions: readonly Subscription[]): string[] {
  if (topic.endsWith('.destroy')) return []
  const paths = subscriptions.flatMap(({ topics, include }) => (matchesTopic(topics, topic) ? include : []))
  return [...new Set(paths.map((path) => path.replaceAll('?', '')))].sort()
}

/** What about the handlers leads to no webhook, in sentences. */
export function subscriptionNotes(subscriptions: readonly Subscription[]): string[] {
  const patterns = new Set(subscriptions.flatMap(({ topics }) => topics))
  const empty = [...patterns].filter((pattern) => pattern !== '*' && expandPattern(pattern).length === 0)
  return [
    ...(wantedTopics(subscriptions).size === 0
      ? ['No handler names a topic, so there is nothing to subscribe to.']
      : []),
    ...(patterns.has('*') ? ['`*` subscribes to nothing by itself: a webhook must name its topic.'] : []),
    ...empty.map((pattern) => `\`${pattern}\` subscribes to nothing: the catalogue has no such resource.`),
  ]
}
