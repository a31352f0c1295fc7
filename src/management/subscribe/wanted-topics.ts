import { expandPattern, matchesTopic } from '../../commerce-layer/topic-patterns.ts'
import type { Subscription } from '../../index.ts'
import { findUnknownStep, type UnknownStep } from '../../wire/unknown-step.ts'

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

/**
 * Refuses a path that a topic of its handler cannot include. Each delivery would be answered `INCLUDE_MISSING`, on the
 * way to the failures that open the circuit.
 *
 * @throws TypeError that names the step, and what it could be.
 */
export function checkIncludes(subscriptions: readonly Subscription[]): void {
  for (const topic of collectTopics(subscriptions)) {
    for (const path of collectIncludes(topic, subscriptions)) {
      const unknown = findUnknownStep(topic, path)
      if (unknown) throw new TypeError(describeUnknown(topic, path, unknown))
    }
  }
}

function describeUnknown(topic: string, path: string, { step, known }: UnknownStep): string {
  const where = path === step ? '' : `, in the path \`${path}\``
  return (
    `plan: a handler of ${topic} includes \`${step}\`${where}, which is no relationship there. ` +
    `There are: ${known.join(', ')}. For one that is newer than the SDK, pass \`unknownIncludes: 'allow'\`.`
  )
}
