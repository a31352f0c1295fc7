import { WebhookError } from '../core/errors.ts'
import { LINGER_BYTES, LINGER_MS } from '../core/http/linger.ts'
import type { ReadBodyOptions, ReceiveOptions, WebhookRequest, WebhookResponse } from '../core/http/request.ts'
import { platform } from '../core/platform.ts'

type Receive = (request: WebhookRequest, options: ReceiveOptions) => Promise<WebhookResponse>
type BodyReader = ReadableStreamDefaultReader<Uint8Array>

/**
 * Answers a `Request` of the Fetch API.
 *
 * @param fix how to keep the body unread in this framework, for the hint of `BODY_ALREADY_PARSED`.
 */
export async function answerWeb(
  receive: Receive,
  request: Request,
  fix: string,
  options: ReceiveOptions,
): Promise<Response> {
  const alreadyParsed = () => new WebhookError('BODY_ALREADY_PARSED', { hint: fix })
  let isBegun = false
  let rest: BodyReader | undefined
  async function read(limits: ReadBodyOptions): Promise<Uint8Array> {
    isBegun = true
    if (request.bodyUsed) throw alreadyParsed()
    const short = platform.readShort?.(request, announcedLength(request), alreadyParsed)
    if (short) return short
    if (request.body?.locked) throw alreadyParsed()
    rest = request.body?.getReader()
    const bytes = rest ? await readStream(rest, limits) : new Uint8Array()
    rest = undefined
    return bytes
  }
  const { method, headers: fields } = request
  const { status, headers, body } = await receive({ method, headers: fields, body: read }, options)
  // Only closing the connection stops a body that arrives too slowly, or was cut off to make room for others. HTTP/2
  // forbids the field, and its requests have no `host`.
  const isLate = status === 408
  if (!isBegun && !isLate) rest = openLong(request)
  if (rest && !isLate) discardRest(rest)
  const closing = isLate && fields.has('host') && { connection: 'close' }
  return new Response(body, { status, headers: { ...headers, ...closing } })
}

/** The length by `Content-Length`, which counts for nothing beside `Transfer-Encoding`. */
function announcedLength({ headers }: Request): number | undefined {
  const length = headers.has('transfer-encoding') ? null : headers.get('content-length')
  return length ? Number(length) : undefined
}

async function readStream(reader: BodyReader, { maxBytes, onProgress }: ReadBodyOptions): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length
    if (length > maxBytes) throw new WebhookError('BODY_TOO_LARGE')
    chunks.push(next.value)
    await onProgress?.(next.value.length)
  }
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

/** The body of a request that was refused by its headers, if the host could go on reading it for long. */
function openLong(request: Request): BodyReader | undefined {
  const { method, bodyUsed } = request
  const length = announcedLength(request) ?? Number.POSITIVE_INFINITY
  if (method === 'GET' || method === 'HEAD' || bodyUsed || length <= LINGER_BYTES) return undefined
  return request.body?.locked ? undefined : request.body?.getReader()
}

/**
 * Reads on while the answer is sent, within bounds. After a `cancel`, servers that adapt Node's requests (Hono's, Next)
 * close the connection, and a sender that writes its whole body first would never read the answer.
 */
function discardRest(reader: BodyReader): void {
  const stop = () => {
    clearTimeout(timer)
    reader.cancel().catch(() => {})
  }
  const timer = setTimeout(stop, LINGER_MS)
  drain(reader).then(stop, stop)
}

async function drain(reader: BodyReader): Promise<void> {
  let left = LINGER_BYTES
  for (let next = await reader.read(); !next.done && left > 0; next = await reader.read()) left -= next.value.length
}
