import type { IncomingMessage, ServerResponse } from 'node:http'
import getRawBody, { type RawBodyError } from 'raw-body'
import { WebhookError } from '../core/errors.ts'
import type { ReadBody, ReadBodyOptions, WebhookRequest, WebhookResponse } from '../core/http/request.ts'

/** Where hosts and body parsers keep a body: on the request, or on another object as in Koa. */
export interface HostBody {
  /** The bytes as received, kept by the host: Google Cloud Functions, Firebase, a parser's `verify`. */
  readonly rawBody?: unknown
  /** The result of a parser. Bytes and text can be verified, other values cannot. */
  readonly body?: unknown
}

/** Milliseconds for which the rest of a refused body is read and discarded, so that the sender can read the answer. */
const LINGER_MS = 4000

type Receive = (request: WebhookRequest) => Promise<WebhookResponse>

/**
 * Answers a request of `node:http`. The signed bytes come from the host's `rawBody`, from bytes or text in `body`, or
 * from the stream if nobody has read it yet.
 *
 * @param fix how to avoid a body parser in this framework, for the hint of `BODY_ALREADY_PARSED`.
 */
export function answerNode(
  receive: Receive,
  request: IncomingMessage,
  response: ServerResponse,
  fix: string,
  host: HostBody = request as HostBody,
): Promise<void> {
  const { method = '', headers } = request
  const body: ReadBody = (options) => read(request, host, fix, options)
  return receive({ method, headers, body }).then((answer) => toNode(answer, request, response))
}

function read(
  request: IncomingMessage,
  host: HostBody,
  fix: string,
  { maxBytes, onProgress }: ReadBodyOptions,
): Promise<Uint8Array | string> {
  const arrived = asArrived(host.rawBody) ?? asArrived(host.body)
  if (arrived !== undefined) return Promise.resolve(arrived)
  if (request.readableDidRead || request.readableEnded)
    return Promise.reject(new WebhookError('BODY_ALREADY_PARSED', { hint: fix }))
  const onData = (chunk: Uint8Array) => pauseFor(request, onProgress?.(chunk.length))
  const reading = getRawBody(request, { limit: maxBytes }).finally(() => request.off('data', onData))
  request.on('data', onData)
  return reading.catch((error: RawBodyError) => {
    if (error.type === 'entity.too.large') throw new WebhookError('BODY_TOO_LARGE')
    if (error.type === 'stream.encoding.set') throw new WebhookError('BODY_ALREADY_PARSED', { hint: fix })
    throw error
  })
}

/** Pauses a stream until the promise resolves. */
function pauseFor(request: IncomingMessage, room: Promise<void> | undefined): void {
  if (!room) return
  request.pause()
  room.then(() => request.resume())
}

function asArrived(body: unknown): Uint8Array | string | undefined {
  return body instanceof Uint8Array || typeof body === 'string' ? body : undefined
}

/**
 * Writes the answer, unless somebody else did (a time-out middleware, for example), and discards the rest of the
 * request.
 */
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
 * Whether the server accepts no more connections. It then waits for open ones, and forever for one that stays busy, so
 * the answer closes them. Node sets `server` without documenting it; where it is missing, connections stay open.
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
 * Writes an answer with `Connection: close`. Node closes the socket as soon as the answer has ended, and a sender that
 * is still writing would get an error and no answer. So the answer is written now, and ended when the request has
 * ended.
 */
function endWithRequest(body: string, request: IncomingMessage, response: ServerResponse): void {
  response.write(body)
  request.once('close', () => response.end())
}
