import { ExponentialBackoff, handleWhenResult, retry } from 'cockatiel'
import { isManagementError, ManagementError } from './errors.ts'
import { createRateLimit, type RateLimit } from './rate-limit.ts'
import { type Answer, createSendRequest, type SendRequestOptions } from './request.ts'

export interface TransportOptions extends SendRequestOptions {
  /** How often a request is repeated that failed for a passing reason. */
  readonly retries: number
}

export interface Sending {
  readonly signal?: AbortSignal | undefined
  /** Whether doing it twice is as good as doing it once. */
  readonly isRepeatable: boolean
}

/** Takes a request to an answer of whatever status, except 429. */
export type Transport = (address: URL, init: RequestInit, sending: Sending) => Promise<Answer>

/**
 * Sends within the rate limit, and again what failed for a passing reason: no connection, an answer of 5xx or none. What is not
 * repeatable is sent again only where it cannot have been done: the connection was never made, or the answer is 429.
 *
 * @throws ManagementError `UNREACHABLE`, `CONNECTION_LOST`, `TIMEOUT`, `RATE_LIMITED`, and `OUTCOME_UNKNOWN` for what is not
 * repeatable and may have been done.
 */
export function createTransport({ retries, ...options }: TransportOptions): Transport {
  const exchange = createSendRequest(options)
  const limit = createRateLimit()
  const again = retry(
    handleWhenResult((answer) => isFailing(answer as Answer)).orWhen((thrown) => isPassing(thrown)),
    { maxAttempts: retries, backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 5000 }) },
  )
  return (address, init, { signal, isRepeatable }) => {
    const since = Date.now()
    return again.execute(async () => {
      const answer = withinLimit(limit, since, signal, () => exchange(address, init, signal))
      return isRepeatable ? answer : certain(answer)
    })
  }
}

async function withinLimit(
  limit: RateLimit,
  since: number,
  signal: AbortSignal | undefined,
  send: () => Promise<Answer>,
): Promise<Answer> {
  for (;;) {
    await limit.wait(since, signal)
    const answer = await send()
    limit.update(answer)
    if (answer.status !== 429) return answer
  }
}

const isFailing = ({ status }: Answer) => status >= 500

const PASSING = ['UNREACHABLE', 'CONNECTION_LOST', 'TIMEOUT']

const isPassing = (thrown: unknown) => isManagementError(thrown) && PASSING.includes(thrown.code)

/** Makes what would be repeated into an error that is not, unless it is certain that nothing was done. */
async function certain(attempt: Promise<Answer>): Promise<Answer> {
  const answer = await attempt.catch((thrown) => {
    if (!isPassing(thrown) || thrown.code === 'UNREACHABLE') throw thrown
    throw new ManagementError('OUTCOME_UNKNOWN', { detail: thrown.message })
  })
  if (isFailing(answer)) throw new ManagementError('OUTCOME_UNKNOWN', { status: answer.status })
  return answer
}
