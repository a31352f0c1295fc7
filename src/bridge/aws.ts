import { WebhookError } from '../core/errors.ts'
import type { ReadBody, WebhookRequest, WebhookResponse } from '../core/http/request.ts'

type Values = string | readonly string[] | null | undefined
type Fields = Readonly<Record<string, Values>>

/**
 * The fields of an event that are read: API Gateway's REST (1.0) and HTTP (2.0) payloads, a function URL's (2.0 too),
 * that of an Application Load Balancer, with or without multi-value headers, and both of VPC Lattice. Sources: AWS's
 * developer guide of Lambda, and its user guide of VPC Lattice.
 */
export interface LambdaEvent {
  readonly httpMethod?: string | undefined
  /** VPC Lattice. */
  readonly method?: string | undefined
  /** In payload 2.0, `http.method`. */
  readonly requestContext?: object | undefined
  readonly headers?: Fields | null | undefined
  readonly multiValueHeaders?: Fields | null | undefined
  readonly body?: unknown
  /** The body as it was in the event: the JSON body parser of middy 2 and 3 keeps it. */
  readonly rawBody?: unknown
  readonly isBase64Encoded?: boolean | undefined
  /** VPC Lattice, version 1. */
  readonly is_base64_encoded?: boolean | undefined
  /** Of a queue or a stream. */
  readonly Records?: unknown
}

/** The answer, in the form that the service which sent the event expects. */
export interface LambdaResult {
  statusCode: number
  headers?: Record<string, string>
  /** Replaces `headers` where the event had `multiValueHeaders`. */
  multiValueHeaders?: Record<string, string[]>
  body: string
  isBase64Encoded: false
}

/**
 * Converts an event to a request. The body is decoded where the event says that it is base64.
 *
 * @param fix how to avoid a body parser, for the hint of `BODY_ALREADY_PARSED`.
 * @throws TypeError for the messages of a queue: SQS would delete them after any answer.
 */
export function fromLambda(event: LambdaEvent, fix: string): WebhookRequest {
  if (event.Records !== undefined) {
    throw new TypeError(
      'This event has `Records`, and is no HTTP request. Give each message to `receiver.handleStored`.',
    )
  }
  const { http } = (event.requestContext ?? {}) as { http?: { method?: string } }
  return {
    method: http?.method ?? event.httpMethod ?? event.method ?? '',
    headers: mergeHeaders(event),
    body: toBody(event, fix),
  }
}

/** Either of the two may lack a header. Where both have it, it is the same one, and must not count as repeated. */
function mergeHeaders({ headers, multiValueHeaders }: LambdaEvent): Record<string, string> {
  return { ...joinValues(headers), ...joinValues(multiValueHeaders) }
}

function joinValues(fields: Fields | null | undefined): Record<string, string> {
  const joined: Record<string, string> = {}
  for (const [field, values] of Object.entries(fields ?? {})) {
    const name = field.toLowerCase()
    for (const value of [values ?? []].flat()) {
      joined[name] = Object.hasOwn(joined, name) ? `${joined[name]}, ${value}` : value
    }
  }
  return joined
}

function toBody({ body, rawBody = body, ...event }: LambdaEvent, fix: string): Uint8Array | string | ReadBody {
  if (typeof rawBody === 'string') {
    return (event.isBase64Encoded ?? event.is_base64_encoded) ? Buffer.from(rawBody, 'base64') : rawBody
  }
  if (rawBody instanceof Uint8Array) return rawBody
  return rawBody == null ? '' : () => Promise.reject(new WebhookError('BODY_ALREADY_PARSED', { hint: fix }))
}

export function toLambda({ status, headers, body }: WebhookResponse, event: LambdaEvent): LambdaResult {
  const isMulti = event.multiValueHeaders && (!isFilled(event.headers) || isFilled(event.multiValueHeaders))
  const fields = isMulti
    ? { multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])) }
    : { headers: { ...headers } }
  return { statusCode: status, ...fields, body, isBase64Encoded: false }
}

function isFilled(fields: Fields | null | undefined): boolean {
  return Object.keys(fields ?? {}).length > 0
}
