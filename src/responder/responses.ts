import type { WebhookError } from '../core/errors.ts'
import type { WebhookResponse } from '../core/http/request.ts'
import { respondError } from '../core/http/respond.ts'
import { type Fields, wrongAnswer } from './contracts/fields.ts'
import type { Refusal } from './refusal.ts'

const JSON_HEADERS = Object.freeze({ 'content-type': 'application/json' })
const MAX_BYTES = 1024 * 1024
const encoder = new TextEncoder()

/**
 * Writes an answer in Commerce Layer's form.
 *
 * @throws WebhookError `INTERNAL_ERROR` if it is over 1 MiB.
 */
export function respondData(data: Fields): WebhookResponse {
  return respondJson(200, JSON.stringify({ success: true, data }))
}

/** Writes a refusal: 422, because Commerce Layer counts errors of the server as failures. */
export function respondRefusal({ code, message }: Refusal): WebhookResponse {
  return respondJson(422, JSON.stringify({ success: false, error: { code, message } }))
}

/** Writes an error: the receiver's answer, in Commerce Layer's form. */
export function respondFailure(error: WebhookError): WebhookResponse {
  const { status, headers, body } = respondError(error)
  return { status, headers, body: `{"success":false,${body.slice(1)}` }
}

function respondJson(status: number, body: string): WebhookResponse {
  const isOver = body.length * 3 > MAX_BYTES && encoder.encode(body).byteLength > MAX_BYTES
  if (isOver) throw wrongAnswer('data', 'is over 1 MiB')
  return { status, headers: JSON_HEADERS, body }
}
