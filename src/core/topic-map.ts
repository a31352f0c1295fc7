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

export interface TopicMap<T> {
  get(topic: string): T | undefined
  set(topic: string, value: T): void
  delete(topic: string): void
}

/**
 * Keeps values by topic.
 *
 * @param isKnown tells the topics that nobody has made up. The others share a bounded map and displace none of them.
 */
export function createTopicMap<T>(isKnown: (topic: string) => boolean): TopicMap<T> {
  const known = new Map<string, T>()
  const others = new Map<string, T>()
  return {
    get: (topic) => known.get(topic) ?? others.get(topic),
    set(topic, value) {
      if (isKnown(topic)) known.set(topic, value)
      else rememberForTopic(others, topic, value)
    },
    delete(topic) {
      known.delete(topic)
      others.delete(topic)
    },
  }
}
