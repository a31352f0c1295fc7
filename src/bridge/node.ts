import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Stream } from 'node:http2'
import getRawBody, { type RawBodyError } from 'raw-body'
import { WebhookError } from '../core/errors.ts'
import { LINGER_BYTES, LINGER_MS } from '../core/http/linger.ts'
import type { ReadBody, ReadBodyOptions, WebhookRequest, WebhookResponse } from '../core/http/request.ts'

/** A request of `node:http`, or of the compatibility API of `node:http2`. */
export type NodeRequest = IncomingMessage | Http2ServerRequest
export type NodeResponse = ServerResponse | Http2ServerResponse

/** Where hosts and body parsers keep a body: on the request, or on another object as in Koa. */
export interface HostBody {
  /** The bytes as received, kept by the host: Google Cloud Functions, Firebase, a parser's `verify`. */
  readonly rawBody?: unknown
  /** The result of a parser. Bytes and text can be verified, other values cannot. */
  readonly body?: unknown
}

/** Where koa-body keeps the text, with `includeUnparsed`. */
const UNPARSED = Symbol.for('unparsedBody')

type Receive = (request: WebhookRequest) => Promise<WebhookResponse>

/**
 * Answers a request of `node:http` or `node:http2`. The signed bytes come from the host's `rawBody`, from bytes or text
 * in `body`, or from the stream if nobody has read it yet.
 *
 * @param fix how to avoid a body parser in this framework, for the hint of `BODY_ALREADY_PARSED`.
 */
export function answerNode(
  receive: Receive,
  request: NodeRequest,
  response: NodeResponse,
  fix: string,
  host: HostBody = request as HostBody,
): Promise<void> {
  const { method = '', headers } = request
  // A listener for `data` would take the body while the receiver looks up its secrets.
  if (request.readableFlowing) request.pause()
  const body: ReadBody = (options) => read(request, host, fix, options)
  return receive({ method, headers, body }).then((answer) => toNode(answer, request, response))
}

function read(
  request: NodeRequest,
  host: HostBody,
  fix: string,
  { maxBytes, onProgress }: ReadBodyOptions,
): Promise<Uint8Array | string> {
  const arrived = asArrived(host.rawBody) ?? asArrived(host.body) ?? asArrived(Object(host.body)[UNPARSED])
  if (arrived !== undefined) return Promise.resolve(arrived)
  if (request.readableDidRead || request.readableEnded || (!isStream(request) && isFilled(host.body))) {
    return Promise.reject(new WebhookError('BODY_ALREADY_PARSED', { hint: explainRead(request, host, fix) }))
  }
  const reading = getRawBody(request as IncomingMessage, { limit: maxBytes })
  const onData = (chunk: Uint8Array) => pauseFor(request, onProgress?.(chunk.length))
  if (onProgress) request.on('data', onData)
  // It may have been paused until the body is wanted, which is now.
  if (isStream(request)) request.resume()
  return reading.catch((error: RawBodyError) => {
    request.off('data', onData)
    if (error.type === 'entity.too.large') throw new WebhookError('BODY_TOO_LARGE')
    if (error.type === 'stream.encoding.set') throw new WebhookError('BODY_ALREADY_PARSED', { hint: fix })
    throw error
  })
}

/** Requests of tests (node-mocks-http) have headers and a body, but are no streams. */
function isStream(request: NodeRequest): boolean {
  return typeof request.resume === 'function'
}

function isFilled(body: unknown): boolean {
  return Object.keys(Object(body)).length > 0
}

/** Who has read the body: a listener that was added too early, if no parser has left its result. */
function explainRead(request: NodeRequest, host: HostBody, fix: string): string {
  const listeners = host.body === undefined ? request.listeners?.('data') : []
  if (!listeners?.length) return fix
  const names = listeners.map(({ name }) => `\`${name || 'an anonymous function'}\``).join(', ')
  return (
    `It went to a listener for \`data\` of the request (${names}): the body flows from when it is added. ` +
    'Call the receiver in the same turn of the event loop, without an `await` in between, or add no such listener.'
  )
}

/** Pauses a stream until the promise resolves. */
function pauseFor(request: NodeRequest, room: Promise<void> | undefined): void {
  if (!room) return
  request.pause()
  room.then(() => request.resume())
}

function asArrived(body: unknown): Uint8Array | string | undefined {
  return body instanceof Uint8Array || typeof body === 'string' ? body : undefined
}

/** Writes the answer, unless somebody else did (a time-out middleware, for example), and ends the request. */
function toNode(answer: WebhookResponse, request: NodeRequest, response: NodeResponse): void {
  const isUnread = isStream(request) && !request.complete && !request.destroyed
  // A body that was too slow, or was cut off to make room for others, is not read on.
  const isCutOff = isUnread && answer.status === 408
  if (isCutOff) request.pause()
  else if (isUnread) discardRest(request)
  if (isAnswered(response)) {
    if (isCutOff) endRequest(request)
  } else if ('stream' in response) answerStream(answer, response, isCutOff)
  else answerConnection(answer, request as IncomingMessage, response, isUnread)
}

/** Whether somebody else has answered, or nobody is there to be answered. */
function isAnswered(response: NodeResponse): boolean {
  if (response.headersSent) return true
  return 'stream' in response ? response.stream.destroyed || response.stream.closed : response.destroyed
}

/** Reads on, within bounds: a sender that writes its whole body first can then read the answer. */
function discardRest(request: NodeRequest): void {
  let left = LINGER_BYTES
  endLater(request)
  request.on('data', (chunk: Uint8Array | string) => {
    left -= chunk.length
    if (left < 0) endRequest(request)
  })
  request.resume()
}

function endLater(request: NodeRequest): void {
  const timer = setTimeout(() => endRequest(request), LINGER_MS)
  request.once('close', () => clearTimeout(timer))
}

/** Closes the connection of a request; on HTTP/2 its stream only, because others share the connection. */
function endRequest(request: NodeRequest): void {
  if ('stream' in request) closeStream(request.stream)
  else request.destroy()
}

/** `isUnread` says that the sender may still be writing. */
function answerConnection(
  { status, headers, body }: WebhookResponse,
  request: IncomingMessage,
  response: ServerResponse,
  isUnread: boolean,
): void {
  const closing = status === 408 || isClosing(request) ? { connection: 'close' } : undefined
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body), ...closing })
  // Destroying the request frees what has arrived of it. Node does not do this when a paused request is answered.
  if (isUnread && status === 408) response.end(body, () => request.destroy())
  else if (isUnread && (closing || !response.shouldKeepAlive)) endWithRequest(body, request, response)
  else response.end(body)
}

/**
 * Whether the server accepts no more connections. It then waits for open ones, and forever for one that stays busy, so
 * the answer closes them. Node sets `server` without documenting it; where it is missing, connections stay open.
 */
function isClosing({ socket }: { readonly socket?: unknown }): boolean {
  return (socket as { server?: { listening?: unknown } } | undefined)?.server?.listening === false
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

/**
 * Answers a request of HTTP/2. Its connection belongs to other requests too, and a `connection` field is illegal. Once
 * the server has closed, the session ends after the requests that it has.
 */
function answerStream(
  { status, headers, body }: WebhookResponse,
  response: Http2ServerResponse,
  isCutOff: boolean,
): void {
  const { stream } = response
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
  response.end(body)
  if (isCutOff) stream.once('finish', () => closeStream(stream))
  // A client that never reads the answer does not keep it for ever.
  endLater(response.req)
  if (stream.session && isClosing(stream.session)) stream.session.close()
}

/** RFC 9113, section 7: what to tell a client that does not take its answer. */
const CANCEL = 8

/** Ends a stream. A client that has its answer stops sending without an error (RFC 9113, section 8.1). */
function closeStream(stream: ServerHttp2Stream): void {
  if (stream.writableFinished) stream.close()
  else stream.close(CANCEL)
}
