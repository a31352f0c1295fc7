import type { IncomingMessage, ServerResponse } from 'node:http'
import getRawBody, { type RawBodyError } from 'raw-body'
import { WebhookError } from '../core/errors.ts'
import type { ReadBody, WebhookRequest, WebhookResponse } from '../core/http/request.ts'

/** Where hosts and body parsers leave a body: on the request, or elsewhere as Koa does it. */
export interface HostBody {
  /** The bytes as they came, kept by the host: Google Cloud Functions, Firebase, a parser's `verify`. */
  readonly rawBody?: unknown
  /** What a parser made of them: bytes and text are as good, anything else is not. */
  readonly body?: unknown
}

/** How long the rest of a refused body is read and thrown away, so that the sender gets to see the answer. */
const LINGER_MS = 4000

type Receive = (request: WebhookRequest) => Promise<WebhookResponse>

/**
 * Takes a request of `node:http` to its answer. The signed bytes are taken from where they still are: the host's `rawBody`,
 * bytes or text in `body`, or the stream that nobody has read yet.
 *
 * @param fix how to keep a body parser away in this framework, for whoever reads `BODY_ALREADY_PARSED`.
 */
export function answerNode(
  receive: Receive,
  request: IncomingMessage,
  response: ServerResponse,
  fix: string,
  host: HostBody = request as HostBody,
): Promise<void> {
  const { method = '', headers } = request
  const body: ReadBody = ({ maxBytes }) => read(request, host, fix, maxBytes)
  return receive({ method, headers, body }).then((answer) => toNode(answer, request, response))
}

function read(request: IncomingMessage, host: HostBody, fix: string, maxBytes: number): Promise<Uint8Array | string> {
  const arrived = asArrived(host.rawBody) ?? asArrived(host.body)
  if (arrived !== undefined) return Promise.resolve(arrived)
  if (request.readableDidRead || request.readableEnded)
    return Promise.reject(new WebhookError('BODY_ALREADY_PARSED', { fix }))
  return getRawBody(request, { limit: maxBytes }).catch((error: RawBodyError) => {
    if (error.type === 'entity.too.large') throw new WebhookError('BODY_TOO_LARGE')
    if (error.type === 'stream.encoding.set') throw new WebhookError('BODY_ALREADY_PARSED', { fix })
    throw error
  })
}

function asArrived(body: unknown): Uint8Array | string | undefined {
  return body instanceof Uint8Array || typeof body === 'string' ? body : undefined
}

/** Writes the answer, unless somebody else did (a time-out middleware, say), and sees to what is left of the request. */
function toNode({ status, headers, body }: WebhookResponse, request: IncomingMessage, response: ServerResponse): void {
  const isUnread = !request.complete && !request.destroyed
  if (isUnread) discardRest(request)
  if (response.headersSent || response.destroyed) return
  const closing = status === 408 || isClosing(request) ? { connection: 'close' } : undefined
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body), ...closing })
  if (isUnread && status !== 408 && (closing || !response.shouldKeepAlive)) endWithRequest(body, request, response)
  else response.end(body)
}

/**
 * Whether the server takes no more connections. It then waits for those that it has, for ever if a sender keeps one busy. Node sets
 * `server` without documenting it: where it is not to be had, connections end as they did.
 */
function isClosing({ socket }: IncomingMessage): boolean {
  return (socket as { server?: { listening?: unknown } } | undefined)?.server?.listening === false
}

function discardRest(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), LINGER_MS)
  request.once('close', () => clearTimeout(timer))
  request.resume()
}

/**
 * For `Connection: close`: Node closes the socket as soon as an answer has ended, and a sender that is still writing then gets
 * an error in place of it. So all of the answer goes out now, and its end when the request has ended.
 */
function endWithRequest(body: string, request: IncomingMessage, response: ServerResponse): void {
  response.write(body)
  request.once('close', () => response.end())
}
