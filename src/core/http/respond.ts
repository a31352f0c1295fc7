import { WebhookError } from '../errors.ts'
import { OUTCOMES, type OutcomeName } from '../outcomes.ts'
import type { WebhookResponse } from './request.ts'

const JSON_HEADERS = Object.freeze({ 'content-type': 'application/json' })
const ALLOW_HEADERS = Object.freeze({ ...JSON_HEADERS, allow: 'POST' })
const RETRY_HEADERS = Object.freeze({ ...JSON_HEADERS, 'retry-after': '5' })

/** Answers a delivery that was accepted. */
export function respond(outcome: OutcomeName): WebhookResponse {
  return { status: OUTCOMES[outcome], headers: JSON_HEADERS, body: `{"outcome":"${outcome}"}` }
}

/**
 * Answers a delivery that was not accepted, with the code and the message of the error and nothing else. A topic
 * without a secret is answered like a wrong signature, so that a stranger does not learn which topics there are.
 */
export function respondError(error: WebhookError): WebhookResponse {
  const { code, message, status } = error.code === 'SECRET_UNKNOWN' ? new WebhookError('SIGNATURE_MISMATCH') : error
  const headers = status === 405 ? ALLOW_HEADERS : status === 503 ? RETRY_HEADERS : JSON_HEADERS
  return { status, headers, body: JSON.stringify({ error: { code, message } }) }
}
