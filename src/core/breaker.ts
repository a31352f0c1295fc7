import type { Logger } from './logger.ts'
import { remember } from './remember.ts'

/** After so many failures in a row Commerce Layer stops sending to a webhook. Source: "Handling errors" of its webhooks. */
const OPENS_AT = 30
const WARN_AT = [10, 20]
const REST_MS = 60_000

/** Counts what the sender's circuit breaker counts: answers other than 2xx to genuine deliveries of a topic, in a row. */
export interface Breaker {
  /** Counts an answer; gives how many failures there are in a row now. */
  count(topic: string, isFailure: boolean): number
  /** Whether the second warning was given within the last minute: high time to take no risk. */
  isClose(topic: string): boolean
}

export function createBreaker(logger: Logger): Breaker {
  const inRow = new Map<string, number>()
  const closeUntil = new Map<string, number>()
  return {
    count(topic, isFailure) {
      if (!isFailure) {
        if (inRow.size > 0) inRow.delete(topic)
        return 0
      }
      const failures = (inRow.get(topic) ?? 0) + 1
      remember(inRow, topic, failures)
      if (WARN_AT.includes(failures)) {
        const left = OPENS_AT - failures
        logger.warn(`${topic}: ${failures} failures in a row. After ${left} more, Commerce Layer stops sending it.`, {
          topic,
        })
      }
      if (failures === WARN_AT.at(-1)) remember(closeUntil, topic, Date.now() + REST_MS)
      return failures
    },
    isClose: (topic) => Date.now() < (closeUntil.get(topic) ?? 0),
  }
}
