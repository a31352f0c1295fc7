import { type Subscription, TOPICS } from '../index.ts'

/** Whether one of the handlers listens to a topic. */
export function hasHandler(topic: string, subscriptions: readonly Subscription[]): boolean {
  return subscriptions.some((subscription) => listens(subscription, topic))
}

/**
 * The topics that a handler names, `orders.*` being all that the catalogue has for orders. `*` names none: a webhook has exactly one
 * topic, and nobody wants 186 of them.
 */
export function wantedTopics(subscriptions: readonly Subscription[]): ReadonlySet<string> {
  return new Set(subscriptions.flatMap(({ topics }) => topics.flatMap(topicsNamedBy)))
}

/** What all handlers of a topic need of a delivery together, sorted. What is destroyed has nothing to include. */
export function wantedIncludes(topic: string, subscriptions: readonly Subscription[]): string[] {
  if (topic.endsWith('.destroy')) return []
  const paths = subscriptions.flatMap((subscription) => (listens(subscription, topic) ? subscription.include : []))
  return [...new Set(paths.map((path) => path.replaceAll('?', '')))].sort()
}

function listens({ topics }: Subscription, topic: string): boolean {
  const family = `${topic.slice(0, topic.indexOf('.'))}.*`
  return topics.some((pattern) => pattern === topic || pattern === family || pattern === '*')
}

function topicsNamedBy(pattern: string): readonly string[] {
  if (pattern === '*') return []
  if (!pattern.endsWith('.*')) return [pattern]
  const resource = pattern.slice(0, -'.*'.length)
  const events = Object.entries(TOPICS).find(([name]) => name === resource)?.[1] ?? []
  return events.map((event) => `${resource}.${event}`)
}

/** What about the handlers leads to no webhook, in sentences. */
export function subscriptionNotes(subscriptions: readonly Subscription[]): string[] {
  const patterns = new Set(subscriptions.flatMap(({ topics }) => topics))
  const empty = [...patterns].filter((pattern) => pattern !== '*' && topicsNamedBy(pattern).length === 0)
  return [
    ...(wantedTopics(subscriptions).size === 0
      ? ['No handler names a topic, so there is nothing to subscribe to.']
      : []),
    ...(patterns.has('*') ? ['`*` subscribes to nothing by itself: a webhook must name its topic.'] : []),
    ...empty.map((pattern) => `\`${pattern}\` subscribes to nothing: the catalogue has no such resource.`),
  ]
}
