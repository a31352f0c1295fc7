/** How many topics are kept apart; there are some 150. */
const MAX_TOPICS = 1000

/** Keeps something for a topic. Where one secret serves all topics a stranger can make them up: all is forgotten then. */
export function rememberForTopic<T>(byTopic: Map<string, T>, topic: string, value: T): void {
  if (byTopic.size >= MAX_TOPICS) byTopic.clear()
  byTopic.set(topic, value)
}
