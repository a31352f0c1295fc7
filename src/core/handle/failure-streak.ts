import { FAILURES_TO_OPEN } from '../../commerce-layer/limits.ts'
import type { Logger } from '../logger.ts'
import { rememberForTopic } from '../topic-map.ts'

const WARN_AT = [10, 20]
const NEARLY_OPEN_MS = 60_000

/** Counts what the sender's circuit breaker counts: answers other than 2xx to genuine deliveries of a topic, in a row. */
export interface FailureStreak {
  /** Counts an answer; gives how many failures there are in a row now. */
  count(topic: string, isFailure: boolean): number
  /** Whether the second warning was given within the last minute: high time to take no risk. */
  isNearlyOpen(topic: string): boolean
}

export function createFailureStreak(logger: Logger): FailureStreak {
  const failuresByTopic = new Map<string, number>()
  const nearlyOpenUntil = new Map<string, number>()
  return {
    count(topic, isFailure) {
      if (!isFailure) {
        if (failuresByTopic.size > 0) failuresByTopic.delete(topic)
        return 0
      }
      const failures = (failuresByTopic.get(topic) ?? 0) + 1
      rememberForTopic(failuresByTopic, topic, failures)
      if (WARN_AT.includes(failures)) {
        const left = FAILURES_TO_OPEN - failures
        logger.warn(`${topic}: ${failures} failures in a row. After ${left} more, Commerce Layer stops sending it.`, {
          topic,
        })
      }
      if (failures === WARN_AT.at(-1)) rememberForTopic(nearlyOpenUntil, topic, Date.now() + NEARLY_OPEN_MS)
      return failures
    },
    isNearlyOpen: (topic) => Date.now() < (nearlyOpenUntil.get(topic) ?? 0),
  }
}
