/** When a topic without free capacity is looked at again. */
const POSTPONE_MS = 100
const MAX_POSTPONE_MS = 10_000
/** Between two postponed deliveries of a topic, so that a long queue of them is not read over and over. */
const SPACING_MS = 5

/** Returns a function that gives each postponed delivery of a topic a later time, in milliseconds since the epoch. */
export function createPostponement(): (topic: string) => number {
  const lastByTopic = new Map<string, number>()
  return (topic) => {
    const now = Date.now()
    const last = Math.max(lastByTopic.get(topic) ?? 0, now + POSTPONE_MS)
    const time = Math.min(last + SPACING_MS, now + MAX_POSTPONE_MS)
    lastByTopic.set(topic, time)
    return time
  }
}
