import { pause } from './abort.ts'
import { ManagementError } from './errors.ts'
import type { Answer } from './request.ts'

/** How long a request waits for the rate limit altogether: twice the longest interval that is documented, a minute. */
const MAX_WAIT_MS = 120_000

/** The shortest interval that is documented, for a 429 that names none. */
const DEFAULT_INTERVAL_MS = 10_000

export interface RateLimit {
  /**
   * Lets a request through, as soon as the limit allows.
   *
   * @param since when it first wanted to.
   * @throws ManagementError `RATE_LIMITED` at once, if it would have to wait for longer than two minutes altogether.
   */
  wait(since: number, signal: AbortSignal | undefined): Promise<void>
  /** Learns from an answer. */
  update(answer: Answer): void
}

/**
 * Keeps requests within Commerce Layer's rate limit: once an answer says that nothing remains, or is a 429, nothing is sent for
 * `X-Ratelimit-Interval`. That it is in seconds, and that the interval at worst begins now, are assumptions.
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
  return seconds > 0 ? seconds * 1000 : DEFAULT_INTERVAL_MS
}
