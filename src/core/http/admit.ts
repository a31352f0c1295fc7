import type { Deadline } from '../deadline.ts'
import { isWebhookError, WebhookError } from '../errors.ts'
import type { MaybePromise } from '../maybe-promise.ts'
import type { Budget } from './budget.ts'
import { getHeader, toBytes, type WebhookRequest } from './request.ts'

export interface BodyLimits {
  readonly maxBodyBytes: number
  readonly bodyTimeoutMs: number
}

/**
 * Refuses what the method and the headers already show to be unacceptable, before a body is read.
 *
 * @throws WebhookError `METHOD_NOT_ALLOWED`, `ENCODING_UNSUPPORTED` or `BODY_TOO_LARGE`.
 */
export function admit({ method, headers, body }: WebhookRequest, { maxBodyBytes }: BodyLimits): void {
  if (String(method).toUpperCase() !== 'POST') throw new WebhookError('METHOD_NOT_ALLOWED')
  const encoding = getHeader(headers, 'content-encoding')
  if (encoding && encoding.toLowerCase() !== 'identity') throw new WebhookError('ENCODING_UNSUPPORTED')
  if (typeof body !== 'function') return
  const contentLength = getHeader(headers, 'content-length')
  if (contentLength && Number(contentLength) > maxBodyBytes) throw new WebhookError('BODY_TOO_LARGE')
}

/**
 * Gives the bytes of a body, and reads it first if it has not arrived yet.
 *
 * @throws WebhookError `BODY_TOO_LARGE`, `BODY_TIMEOUT`, `BODY_ALREADY_PARSED`, or `BODY_ABORTED` if reading fails
 * otherwise.
 */
export function readBody(
  { body }: WebhookRequest,
  { maxBodyBytes, bodyTimeoutMs }: BodyLimits,
  budget: Budget,
  deadline: Deadline,
): MaybePromise<Uint8Array> {
  const checked = (whole: unknown) => {
    const bytes = toBytes(whole)
    if (bytes.length > maxBodyBytes) throw new WebhookError('BODY_TOO_LARGE')
    return bytes
  }
  if (typeof body !== 'function') return checked(body)
  const ms = Math.min(bodyTimeoutMs, deadline.remaining())
  return budget.read(body, maxBodyBytes, ms).then(checked, toBodyError)
}

function toBodyError(thrown: unknown): never {
  throw isWebhookError(thrown) ? thrown : new WebhookError('BODY_ABORTED', { cause: thrown })
}
