import { type Deadline, within } from './deadline.ts'
import { isWebhookError, WebhookError } from './errors.ts'
import type { Eventually } from './pipe.ts'
import { bytesOf, headerOf, type WebhookRequest } from './request.ts'

export interface BodyLimits {
  readonly maxBodyBytes: number
  readonly bodyTimeoutMs: number
}

/**
 * Decides what can be decided before a body is read.
 *
 * @throws WebhookError `METHOD_NOT_ALLOWED`, `ENCODING_UNSUPPORTED` or `BODY_TOO_LARGE`.
 */
export function admit({ method, headers, body }: WebhookRequest, { maxBodyBytes }: BodyLimits): void {
  if (method !== 'POST') throw new WebhookError('METHOD_NOT_ALLOWED')
  const encoding = headerOf(headers, 'content-encoding')
  if (encoding && encoding.toLowerCase() !== 'identity') throw new WebhookError('ENCODING_UNSUPPORTED')
  if (typeof body !== 'function') return
  const announced = headerOf(headers, 'content-length')
  if (announced && Number(announced) > maxBodyBytes) throw new WebhookError('BODY_TOO_LARGE')
}

/**
 * The bytes of a body, read now if they have not arrived yet.
 *
 * @throws WebhookError `BODY_TOO_LARGE`, `BODY_TIMEOUT`, `BODY_ALREADY_PARSED`, or `BODY_ABORTED` for whatever else keeps it
 * from being read.
 */
export function readBody(
  { body }: WebhookRequest,
  { maxBodyBytes, bodyTimeoutMs }: BodyLimits,
  deadline: Deadline,
): Eventually<Uint8Array> {
  const checked = (whole: Uint8Array | string) => {
    const bytes = bytesOf(whole)
    if (bytes.length > maxBodyBytes) throw new WebhookError('BODY_TOO_LARGE')
    return bytes
  }
  if (typeof body !== 'function') return checked(body)
  const ms = Math.min(bodyTimeoutMs, deadline.remaining())
  return within(body({ maxBytes: maxBodyBytes }), ms, tooSlow).then(checked, aborted)
}

function tooSlow(): WebhookError {
  return new WebhookError('BODY_TIMEOUT')
}

function aborted(thrown: unknown): never {
  throw isWebhookError(thrown) ? thrown : new WebhookError('BODY_ABORTED', { cause: thrown })
}
