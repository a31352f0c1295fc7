import { pause } from './abort.ts'
import { ManagementError } from './errors.ts'
import type { Answer } from './request.ts'

/** How long a request waits for the rate limit in all: twice the longest documented interval, which is a minute. */
const MAX_WAIT_MS = 120_000

/** The shortest documented interval, for a 429 that names none. */
const DEFAULT_INTERVAL_MS = 10_000

/**
 * The longest interval that is believed, ten times the longest documented one. One wrong answer would otherwise stop
 * the client for good.
 */
const MAX_INTERVAL_MS = 600_000

export interface RateLimit {
  /**
   * Resolves when the rate limit allows a request.
   *
   * @param since when the request was first to be sent.
   * @throws ManagementError `RATE_LIMITED` at once, if the request would wait for more than two minutes in all.
   */
  wait(since: number, signal: AbortSignal | undefined): Promise<void>
  /** Reads the limit from the headers of an answer. */
  update(answer: Answer): void
}

/**
 * Keeps requests within Commerce Layer's rate limit. After a 429, or an answer that says that no request remains,
 * nothing is sent for `X-Ratelimit-Interval`. Two assumptions: it is in seconds, and at worst the interval begins now.
 */
export function createRateLimit(): RateLimit {
  let openAt = 0
  return {
    async wait(since, signal) {
      signal?.throwIfAborted()
      while (openAt > Date.now()) {
        if (openAt > since + MAX_WAIT_MS) throw new ManagementError('RATE_LIMITED', { status: 429 })
        await pause(openAt - Date.now(), signal)
      }
    },
    update({ status, headers }) {
      if (status === 429 || headers.get('x-ratelimit-remaining') === '0') {
        openAt = Math.max(openAt, Date.now() + readInterval(headers))
      }
    },
  }
}

function readInterval(headers: Headers): number {
  const seconds = Number.parseFloat(headers.get('x-ratelimit-interval') ?? '')
  return seconds > 0 ? Math.min(seconds * 1000, MAX_INTERVAL_MS) : DEFAULT_INTERVAL_MS
}
