import { ExponentialBackoff, handleWhenResult, retry } from 'cockatiel'
import { isManagementError, ManagementError } from './errors.ts'
import { createRateLimit, type RateLimit } from './rate-limit.ts'
import { type Answer, createSendRequest, type SendRequestOptions } from './request.ts'

export interface TransportOptions extends SendRequestOptions {
  /** How often a request is retried after a temporary failure. */
  readonly retries: number
}

export interface SendOptions {
  readonly signal?: AbortSignal | undefined
  /** Whether the request may be sent twice without harm. */
  readonly isRepeatable: boolean
}

/** Sends a request, and resolves to an answer of any status except 429. */
export type Transport = (address: URL, init: RequestInit, options: SendOptions) => Promise<Answer>

/**
 * Creates a transport that keeps to the rate limit and retries temporary failures: no connection, no answer, an answer
 * of 5xx. A request that is not repeatable is retried only where nothing can have been changed: the connection was
 * never made, or the answer was 429.
 *
 * @throws ManagementError `UNREACHABLE`, `CONNECTION_LOST`, `TIMEOUT`, `RESPONSE_TOO_LARGE` or `RATE_LIMITED`;
 * `OUTCOME_UNKNOWN` for a request that is not repeatable and may have changed something.
 */
export function createTransport({ retries, ...options }: TransportOptions): Transport {
  const sendRequest = createSendRequest(options)
  const rateLimit = createRateLimit()
  const retryPolicy = retry(
    handleWhenResult((answer) => isServerError(answer as Answer)).orWhen((thrown) => isConnectionFailure(thrown)),
    { maxAttempts: retries, backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 5000 }) },
  )
  return (address, init, { signal, isRepeatable }) => {
    const since = Date.now()
    return retryPolicy.execute(async () => {
      const answer = sendWithinLimit(rateLimit, since, signal, () => sendRequest(address, init, signal))
      return isRepeatable ? answer : rejectUnknownOutcome(answer)
    })
  }
}

/**
 * How often the rate limit may refuse a request. The shortest documented interval is ten seconds, so twelve of them are
 * the two minutes that a request waits. An API that names a shorter one would be asked without end.
 */
const MAX_REFUSALS = 20

async function sendWithinLimit(
  rateLimit: RateLimit,
  since: number,
  signal: AbortSignal | undefined,
  send: () => Promise<Answer>,
): Promise<Answer> {
  for (let refusals = 0; refusals < MAX_REFUSALS; refusals++) {
    await rateLimit.wait(since, signal)
    const answer = await send()
    rateLimit.update(answer)
    if (answer.status !== 429) return answer
  }
  throw new ManagementError('RATE_LIMITED', { status: 429 })
}

const isServerError = ({ status }: Answer) => status >= 500

const CONNECTION_FAILURES = ['UNREACHABLE', 'CONNECTION_LOST', 'TIMEOUT']

const isConnectionFailure = (thrown: unknown) => isManagementError(thrown) && CONNECTION_FAILURES.includes(thrown.code)

/** After these it is not known what the API did. */
const isUnknown = (thrown: unknown) =>
  isManagementError(thrown) &&
  thrown.code !== 'UNREACHABLE' &&
  [...CONNECTION_FAILURES, 'RESPONSE_TOO_LARGE'].includes(thrown.code)

/** Turns a failure into an error that is not retried, unless it is certain that nothing was changed. */
async function rejectUnknownOutcome(attempt: Promise<Answer>): Promise<Answer> {
  const answer = await attempt.catch((thrown) => {
    if (!isUnknown(thrown)) throw thrown
    throw new ManagementError('OUTCOME_UNKNOWN', { detail: thrown.message })
  })
  if (isServerError(answer)) throw new ManagementError('OUTCOME_UNKNOWN', { status: answer.status })
  return answer
}
