import { WebhookError } from '../core/errors.ts'
import type { ReadBodyOptions, ReceiveOptions, WebhookRequest, WebhookResponse } from '../core/http/request.ts'

/**
 * How long, and how much of, the rest of a refused body is read and discarded, so that the sender can read the answer.
 * There are two limits, because timers do not fire while the stream always has another chunk.
 */
const LINGER_MS = 4000
const LINGER_BYTES = 64 * 1024 * 1024

/** Up to this length a body is read as a whole, which is faster, and its progress is not seen. */
const WHOLE_BYTES = 256 * 1024

type Receive = (request: WebhookRequest, options: ReceiveOptions) => Promise<WebhookResponse>

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
  const { method, headers: fields } = request
  const answer = await receive({ method, headers: fields, body: (options) => read(request, options, fix) }, options)
  const { status, headers, body } = answer
  // Only closing the connection stops a body that arrives too slowly.
  return new Response(body, { status, headers: status === 408 ? { ...headers, connection: 'close' } : headers })
}

async function read(request: Request, options: ReadBodyOptions, fix: string): Promise<Uint8Array> {
  const { bodyUsed, headers } = request
  if (bodyUsed) throw new WebhookError('BODY_ALREADY_PARSED', { hint: fix })
  const length = headers.has('transfer-encoding') ? undefined : headers.get('content-length')
  if (length && Number(length) <= WHOLE_BYTES) return readWhole(request, fix)
  const { body } = request
  if (body?.locked) throw new WebhookError('BODY_ALREADY_PARSED', { hint: fix })
  return body ? readStream(body.getReader(), options) : readWhole(request, fix)
}

/**
 * Reads the body without `request.body`: in servers that adapt Node's requests (Hono's), that property builds a stream,
 * which takes longer than the rest of a small delivery. A body that another reader has locked is therefore detected
 * here.
 */
async function readWhole(request: Request, fix: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await request.arrayBuffer())
  } catch (error) {
    const isLocked = !request.bodyUsed && (error as Error)?.name === 'TypeError'
    throw isLocked ? new WebhookError('BODY_ALREADY_PARSED', { hint: fix }) : error
  }
}

/** Reads chunk by chunk, because the length is not known or large. */
async function readStream(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { maxBytes, onProgress }: ReadBodyOptions,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length
    if (length > maxBytes) {
      discardRest(reader)
      throw new WebhookError('BODY_TOO_LARGE')
    }
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

/**
 * Reads on while the answer is sent. After a `cancel`, servers that adapt Node's requests (Hono's, Next) stop reading,
 * and a sender that writes its whole body first would never read the answer.
 */
function discardRest(reader: ReadableStreamDefaultReader<Uint8Array>): void {
  const stop = () => {
    clearTimeout(timer)
    reader.cancel().catch(() => {})
  }
  const timer = setTimeout(stop, LINGER_MS)
  drain(reader).then(stop, stop)
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  let left = LINGER_BYTES
  for (let next = await reader.read(); !next.done && left > 0; next = await reader.read()) left -= next.value.length
}
