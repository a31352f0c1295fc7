import type { Subscription } from 'hooklayer'
import type { HooklayerConfig } from 'hooklayer/config'

/** Tells the topics that are wanted: those of the flag or of `topics`, or those with a handler, or all. */
export function createTopicFilter(
  topics: readonly string[] | undefined,
  config: HooklayerConfig | undefined,
): (topic: string) => boolean {
  const named = topics ?? config?.topics
  if (named) return (topic) => named.includes(topic)
  if (!config) return () => true
  const subscriptions = config.receiver.subscriptions()
  return (topic) => subscriptions.some((one) => one.topics.includes('*') || namesTopic(one, topic))
}

/** Whether a handler has a topic, or all of its resource. A handler of `*` names none. */
export function namesTopic({ topics }: Subscription, topic: string): boolean {
  return topics.includes(topic) || topics.includes(topic.replace(/\..*/, '.*'))
}
