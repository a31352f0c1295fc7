import * as http from 'node:http'
import * as https from 'node:https'

/**
 * How a body is written:
 *
 * - `whole`: at once
 * - `split`: in two chunks, cut inside a character
 * - `dropped`: only the first half, then the connection is cut
 * - `slow`: in ten parts, over two seconds
 */
export type Chunking = 'whole' | 'split' | 'dropped' | 'slow'

/** A POST request to write. */
interface PostRequest {
  readonly url: string
  /** Without `content-length` and `transfer-encoding`. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly chunking: Chunking
}

/** The end of a call. `status` is `undefined` if there was no answer. */
export interface Answer {
  readonly status: number | undefined
  readonly message: string
  /** The beginning of the body of the answer. */
  readonly text: string
}

/** How much of an answer is kept. A receiver's answer is short, and an error page is not read to its end. */
const MAX_TEXT_LENGTH = 2000

/** An HTTP client that keeps connections alive. */
export interface Poster {
  /** Never rejects. */
  post(request: PostRequest): Promise<Answer>
  /** Ends all calls and closes all connections. */
  close(): void
}

/** Node's servers close an idle connection after five seconds. This is shorter, to not write to one that is closing. */
const IDLE_MS = 1000

/**
 * Creates a client whose calls take at most `timeoutMs`, from the connection to the last byte of the answer. Only the
 * status of an answer matters to the sender, and the beginning of its body is kept. Redirects are not followed.
 */
export function createPoster(timeoutMs: number, maxTextLength = MAX_TEXT_LENGTH): Poster {
  const agentOptions = { keepAlive: true, timeout: IDLE_MS, maxFreeSockets: Number.POSITIVE_INFINITY }
  const agents = { http: new http.Agent(agentOptions), https: new https.Agent(agentOptions) }

  function openRequest({ url, headers, body, chunking }: PostRequest): http.ClientRequest {
    const { request, agent } = /^https:/i.test(url)
      ? { request: https.request, agent: agents.https }
      : { request: http.request, agent: agents.http }
    const length = chunking === 'split' ? { 'transfer-encoding': 'chunked' } : { 'content-length': body.byteLength }
    return request(url, { method: 'POST', agent, headers: { ...headers, ...length } })
  }

  function send(postRequest: PostRequest, resolve: (answer: Answer) => void): void {
    const request = openRequest(postRequest)
    let answer: Omit<Answer, 'text'> | undefined
    let text = ''
    const giveUp = (message: string) => {
      answer ??= { status: undefined, message }
      request.destroy()
    }
    const timer = setTimeout(giveUp, timeoutMs, `No answer within ${timeoutMs} ms`)
    request.once('response', (response) => {
      const { statusCode: status = 0, statusMessage } = response
      answer ??= { status, message: statusMessage || (http.STATUS_CODES[status] ?? '') }
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk.slice(0, maxTextLength - text.length)
      })
    })
    request.on('error', (error) => giveUp(describeFailure(error)))
    request.once('close', () => {
      clearTimeout(timer)
      resolve({ ...(answer ?? { status: undefined, message: CLOSED }), text })
    })
    writeBody(request, postRequest, giveUp)
  }

  return {
    post: (request) =>
      new Promise<Answer>((resolve) => send(request, resolve)).catch(() => ({
        status: undefined,
        message: 'The callback URL cannot be called',
        text: '',
      })),
    close() {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

function writeBody(
  request: http.ClientRequest,
  { body, chunking }: PostRequest,
  giveUp: (message: string) => void,
): void {
  if (chunking === 'whole') request.end(body)
  if (chunking === 'split') {
    const cut = findCut(body)
    request.write(body.subarray(0, cut))
    request.end(body.subarray(cut))
  }
  if (chunking === 'slow') void writeSlowly(request, body)
  if (chunking === 'dropped') {
    request.write(body.subarray(0, body.length / 2), () => giveUp('Connection dropped in the middle of the body'))
  }
}

const SLOW_PARTS = 10
const SLOW_PART_MS = 200

async function writeSlowly(request: http.ClientRequest, body: Uint8Array): Promise<void> {
  const size = Math.max(1, Math.ceil(body.length / SLOW_PARTS))
  for (let from = 0; from < body.length && !request.destroyed; from += size) {
    request.write(body.subarray(from, from + size))
    await new Promise((resolve) => setTimeout(resolve, SLOW_PART_MS))
  }
  request.end()
}

/** After the first byte of the first multi-byte character, or in the middle if all characters are single bytes. */
function findCut(body: Uint8Array): number {
  const lead = body.findIndex((byte) => byte >= 0xc0)
  return lead === -1 ? Math.floor(body.length / 2) : lead + 1
}

const CLOSED = 'Connection closed without an answer'

const FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: CLOSED,
  EPIPE: CLOSED,
  ENOTFOUND: 'Host not found',
  EAI_AGAIN: 'Host not found',
}

/** A short text. It is never the message of the error, which may contain the URL. */
function describeFailure({ code = '' }: NodeJS.ErrnoException): string {
  if (code.startsWith('HPE_')) return 'The answer was not HTTP'
  return FAILURES[code] ?? `Connection failed (${code || 'unknown'})`
}
