import type { WebhookRequest, WebhookResponse } from '../core/http/request.ts'

type Fields = Readonly<Record<string, string | undefined>>
type MultiFields = Readonly<Record<string, readonly string[] | undefined>>

/**
 * The fields of an event that are read: API Gateway's REST (1.0) and HTTP (2.0) payloads, a function URL's (2.0 too),
 * and that of an Application Load Balancer, with or without multi-value headers. Source: AWS's Lambda developer guide.
 */
export interface LambdaEvent {
  readonly httpMethod?: string | undefined
  /** In payload 2.0, `http.method`. */
  readonly requestContext?: object | undefined
  readonly headers?: Fields | null | undefined
  readonly multiValueHeaders?: MultiFields | null | undefined
  readonly body?: unknown
  readonly isBase64Encoded?: boolean | undefined
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

/** Converts an event to a request. The body is decoded where the event says that it is base64. */
export function fromLambda({
  httpMethod,
  requestContext,
  headers,
  multiValueHeaders,
  body,
  isBase64Encoded,
}: LambdaEvent): WebhookRequest {
  const { http } = (requestContext ?? {}) as { http?: { method?: string } }
  return {
    method: http?.method ?? httpMethod ?? '',
    headers: multiValueHeaders ?? headers ?? {},
    body: isBase64Encoded && typeof body === 'string' ? Buffer.from(body, 'base64') : ((body ?? '') as string),
  }
}

export function toLambda({ status, headers, body }: WebhookResponse, event: LambdaEvent): LambdaResult {
  const fields = event.multiValueHeaders
    ? { multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])) }
    : { headers: { ...headers } }
  return { statusCode: status, ...fields, body, isBase64Encoded: false }
}
