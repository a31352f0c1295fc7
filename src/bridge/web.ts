import { WebhookError } from '../core/errors.ts'
import type { ReceiveOptions, WebhookRequest, WebhookResponse } from '../core/http/request.ts'

/**
 * How long, and how much of, the rest of a refused body is read and thrown away, so that the sender gets to see the answer.
 * Both, because no timer gets its turn while a stream always has a chunk at hand.
 */
const LINGER_MS = 4000
const LINGER_BYTES = 64 * 1024 * 1024

type Receive = (request: WebhookRequest, options: ReceiveOptions) => Promise<WebhookResponse>

/**
 * Takes a `Request` of the Fetch API to its `Response`.
 *
 * @param fix how to keep the body unread in this framework, for whoever reads `BODY_ALREADY_PARSED`.
 */
export async function answerWeb(
  receive: Receive,
  request: Request,
  fix: string,
  options: ReceiveOptions,
): Promise<Response> {
  const { method, headers: fields } = request
  const answer = await receive(
    { method, headers: fields, body: ({ maxBytes }) => read(request, maxBytes, fix) },
    options,
  )
  const { status, headers, body } = answer
  // There is no way to read no more of what arrives too slowly, but to hang up.
  return new Response(body, { status, headers: status === 408 ? { ...headers, connection: 'close' } : headers })
}

async function read(request: Request, maxBytes: number, fix: string): Promise<Uint8Array> {
  const { bodyUsed, headers } = request
  if (bodyUsed) throw new WebhookError('BODY_ALREADY_PARSED', { fix })
  if (headers.has('content-length') && !headers.has('transfer-encoding')) return readWhole(request, fix)
  const { body } = request
  if (body?.locked) throw new WebhookError('BODY_ALREADY_PARSED', { fix })
  return body ? readStream(body.getReader(), maxBytes) : readWhole(request, fix)
}

/**
 * Without a look at `request.body`: merely to ask for it makes servers that adapt Node's requests (Hono's) build a stream, which
 * costs more than all the rest of a small delivery. So it is here that a body whose reader somebody else holds is found out.
 */
async function readWhole(request: Request, fix: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await request.arrayBuffer())
  } catch (error) {
    const isHeldElsewhere = !request.bodyUsed && (error as Error)?.name === 'TypeError'
    throw isHeldElsewhere ? new WebhookError('BODY_ALREADY_PARSED', { fix }) : error
  }
}

/** Chunk by chunk, because nobody has promised where it ends. */
async function readStream(reader: ReadableStreamDefaultReader<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length
    if (length > maxBytes) {
      discardRest(reader)
      throw new WebhookError('BODY_TOO_LARGE')
    }
    chunks.push(next.value)
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
 * While the answer goes out, because with a `cancel` nobody reads on where a server adapts Node's requests (Hono's, Next), and
 * a sender that writes all before it reads any would never see it.
 */
function discardRest(reader: ReadableStreamDefaultReader<Uint8Array>): void {
  const stop = () => {
    clearTimeout(timer)
    reader.cancel().catch(() => {})
  }
  const timer = setTimeout(stop, LINGER_MS)
  skim(reader).then(stop, stop)
}

async function skim(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  let left = LINGER_BYTES
  for (let next = await reader.read(); !next.done && left > 0; next = await reader.read()) left -= next.value.length
}
