import type { EventDetails } from '../observed-events.ts'
import { createTopicMap } from '../topic-map.ts'

type Level = EventDetails['breaker']['level']

const LEVELS: readonly Level[] = [10, 20, 25]
const NEARLY_OPEN_AT = 20
const NEARLY_OPEN_MS = 60_000
const MISMATCHES_TO_WARN = 10

/**
 * Counts consecutive failures by topic, as Commerce Layer's circuit breaker does: answers other than 2xx to genuine
 * deliveries.
 */
export interface FailureStreak {
  /** Counts the answer to a genuine delivery, and gives the number of consecutive failures in this process. */
  count(topic: string, isFailure: boolean): number
  /** Counts a signature that did not match. It says nothing by itself: anybody can send one. */
  countMismatch(topic: string): void
  /** Whether the topic reached 20 failures within the last minute, so that its circuit is nearly open. */
  isNearlyOpen(topic: string): boolean
}

/** Counts over all processes. */
export interface SharedFailures {
  /** Counts a failure. `then` is called with the number in all processes, or with `own` if that cannot be told. */
  add(topic: string, own: number, then: (failures: number) => void): void
  /** Says that a delivery of the topic did not fail. */
  reset(topic: string): void
}

/**
 * @param isKnown tells the topics that nobody has made up. The others cannot displace them.
 * @param onLevel is called when the failures, or the mismatches, of a topic reach a level.
 */
export function createFailureStreak(
  isKnown: (topic: string) => boolean,
  onLevel: (topic: string, level: Level, consecutiveFailures: number) => void,
  shared?: SharedFailures,
): FailureStreak {
  const failuresByTopic = createTopicMap<number>(isKnown)
  const mismatchesByTopic = createTopicMap<number>(isKnown)
  const nearlyOpenUntil = createTopicMap<number>(isKnown)

  function warn(topic: string, failures: number): void {
    const level = LEVELS.find((one) => one === failures)
    if (level) onLevel(topic, level, failures)
    if (failures === NEARLY_OPEN_AT) nearlyOpenUntil.set(topic, Date.now() + NEARLY_OPEN_MS)
  }

  return {
    count(topic, isFailure) {
      mismatchesByTopic.delete(topic)
      if (!isFailure) {
        failuresByTopic.delete(topic)
        shared?.reset(topic)
        return 0
      }
      const failures = (failuresByTopic.get(topic) ?? 0) + 1
      failuresByTopic.set(topic, failures)
      if (shared) shared.add(topic, failures, (inAll) => warn(topic, inAll))
      else warn(topic, failures)
      return failures
    },
    countMismatch(topic) {
      const mismatches = (mismatchesByTopic.get(topic) ?? 0) + 1
      mismatchesByTopic.set(topic, mismatches)
      if (mismatches === MISMATCHES_TO_WARN) onLevel(topic, 'mismatch', mismatches)
    },
    isNearlyOpen: (topic) => Date.now() < (nearlyOpenUntil.get(topic) ?? 0),
  }
}
