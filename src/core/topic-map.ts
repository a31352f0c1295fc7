/** The catalogue has 186 topics. */
const MAX_TOPICS = 1000

/**
 * Sets the value of a topic, in a map that is cleared when it is full: a stranger can send any number of made-up
 * topics.
 */
export function rememberForTopic<T>(byTopic: Map<string, T>, topic: string, value: T): void {
  if (byTopic.size >= MAX_TOPICS) byTopic.clear()
  byTopic.set(topic, value)
}
