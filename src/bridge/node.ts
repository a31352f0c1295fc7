import type { IncomingMessage, ServerResponse } from 'node:http'
import getRawBody, { type RawBodyError } from 'raw-body'
import { WebhookError } from '../core/errors.ts'
import type { ReadBody, WebhookRequest, WebhookResponse } from '../core/request.ts'

/** A request of `node:http`, with what hosts and body parsers may have added to it. */
export type NodeRequest = IncomingMessage & { readonly rawBody?: unknown; readonly body?: unknown }

/** How long the rest of a refused body is read and thrown away, so that the sender gets to see the answer. */
const LINGER_MS = 4000

/**
 * Makes the neutral request. The signed bytes are taken from where they still are: the host's `rawBody`, bytes or text in
 * `body`, or the stream that nobody has read yet.
 *
 * @param fix how to keep a body parser away in this framework, for whoever reads `BODY_ALREADY_PARSED`.
 */
export function fromNode(request: NodeRequest, fix: string): WebhookRequest {
  const { method = '', headers, rawBody, body } = request
  return { method, headers, body: asArrived(rawBody) ?? asArrived(body) ?? streamed(request, fix) }
}

function asArrived(body: unknown): Uint8Array | string | undefined {
  return body instanceof Uint8Array || typeof body === 'string' ? body : undefined
}

function streamed(request: NodeRequest, fix: string): ReadBody {
  return async ({ maxBytes }) => {
    if (request.readableDidRead || request.readableEnded) throw alreadyParsed(fix)
    try {
      return await getRawBody(request, { limit: maxBytes })
    } catch (error) {
      const { type } = error as RawBodyError
      if (type === 'entity.too.large') throw new WebhookError('BODY_TOO_LARGE')
      if (type === 'stream.encoding.set') throw alreadyParsed(fix)
      throw error
    }
  }
}

function alreadyParsed(fix: string): WebhookError {
  return new WebhookError('BODY_ALREADY_PARSED', {
    message: `A body parser ran before the receiver, and the signed bytes are gone. ${fix}`,
  })
}

/** Writes the answer, unless somebody else did (a time-out middleware, say), and sees to what is left of the request. */
export function toNode(
  { status, headers, body }: WebhookResponse,
  request: NodeRequest,
  response: ServerResponse,
): void {
  const isUnread = !request.complete && !request.destroyed
  if (isUnread) discardRest(request)
  if (response.headersSent || response.destroyed) return
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  if (status === 408) response.setHeader('connection', 'close')
  if (isUnread && status !== 408 && !response.shouldKeepAlive) endWithRequest(body, request, response)
  else response.end(body)
}

function discardRest(request: NodeRequest): void {
  const timer = setTimeout(() => request.destroy(), LINGER_MS)
  request.once('close', () => clearTimeout(timer))
  request.resume()
}

/**
 * For `Connection: close`: Node closes the socket as soon as an answer has ended, and a sender that is still writing then gets
 * an error in place of it. So all of the answer goes out now, and its end when the request has ended.
 */
function endWithRequest(body: string, request: NodeRequest, response: ServerResponse): void {
  response.setHeader('content-length', Buffer.byteLength(body))
  response.write(body)
  request.once('close', () => response.end())
}
