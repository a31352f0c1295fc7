import { FAILURES_TO_OPEN } from '../../commerce-layer/limits.ts'
import type { Logger } from '../logger.ts'
import { createTopicMap } from '../topic-map.ts'

const WARN_AT = [10, 20]
const NEARLY_OPEN_MS = 60_000

/**
 * Counts consecutive failures by topic, as Commerce Layer's circuit breaker does: answers other than 2xx to genuine
 * deliveries.
 */
export interface FailureStreak {
  /** Counts an answer, and gives the number of consecutive failures. */
  count(topic: string, isFailure: boolean): number
  /** Whether the topic reached the second warning within the last minute, so that its circuit is nearly open. */
  isNearlyOpen(topic: string): boolean
}

/** @param isKnown tells the topics that nobody has made up. The others cannot displace them. */
export function createFailureStreak(logger: Logger, isKnown: (topic: string) => boolean): FailureStreak {
  const failuresByTopic = createTopicMap<number>(isKnown)
  const nearlyOpenUntil = createTopicMap<number>(isKnown)
  return {
    count(topic, isFailure) {
      if (!isFailure) {
        failuresByTopic.delete(topic)
        return 0
      }
      const failures = (failuresByTopic.get(topic) ?? 0) + 1
      failuresByTopic.set(topic, failures)
      if (WARN_AT.includes(failures)) {
        const left = FAILURES_TO_OPEN - failures
        logger.warn(`${topic}: ${failures} failures in a row. After ${left} more, Commerce Layer stops sending it.`, {
          topic,
        })
      }
      if (failures === WARN_AT.at(-1)) nearlyOpenUntil.set(topic, Date.now() + NEARLY_OPEN_MS)
      return failures
    },
    isNearlyOpen: (topic) => Date.now() < (nearlyOpenUntil.get(topic) ?? 0),
  }
}
