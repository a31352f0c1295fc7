import * as http from 'node:http'
import * as https from 'node:https'

/** How a body is written: as one, in two chunks that part a character, or no more than its first half. */
export type Chunking = 'whole' | 'split' | 'dropped'

/** A request as it is to go over the wire. */
interface Posting {
  readonly url: string
  /** Without those that say how long the body is. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly chunking: Chunking
}

/** How a call ended; without a status if no answer came. */
export interface Answer {
  readonly status: number | undefined
  readonly message: string
}

/** Makes calls over connections that are kept alive. */
export interface Poster {
  /** Never rejects. */
  post(posting: Posting): Promise<Answer>
  /** Ends the calls that are under way, and every connection. */
  close(): void
}

/** Shorter than the five seconds that servers of Node keep a connection, so as not to write on one that is being closed. */
const IDLE_MS = 1000

/**
 * Calls last `timeoutMs` at most, from connecting to the last byte of the answer; the status decides, and what follows is thrown
 * away. Redirections are not followed.
 */
export function createPoster(timeoutMs: number): Poster {
  const keep = { keepAlive: true, timeout: IDLE_MS, maxFreeSockets: Number.POSITIVE_INFINITY }
  const agents = { http: new http.Agent(keep), https: new https.Agent(keep) }

  function open({ url, headers, body, chunking }: Posting): http.ClientRequest {
    const { request, agent } = /^https:/i.test(url)
      ? { request: https.request, agent: agents.https }
      : { request: http.request, agent: agents.http }
    const length = chunking === 'split' ? { 'transfer-encoding': 'chunked' } : { 'content-length': body.byteLength }
    return request(url, { method: 'POST', agent, headers: { ...headers, ...length } })
  }

  function send(posting: Posting, resolve: (answer: Answer) => void): void {
    const request = open(posting)
    let answer: Answer | undefined
    const giveUp = (message: string) => {
      answer ??= { status: undefined, message }
      request.destroy()
    }
    const timer = setTimeout(giveUp, timeoutMs, `No answer within ${timeoutMs} ms`)
    request.once('response', (response) => {
      const { statusCode: status = 0, statusMessage } = response
      answer ??= { status, message: statusMessage || (http.STATUS_CODES[status] ?? '') }
      response.resume()
    })
    request.on('error', (error) => giveUp(describeFailure(error)))
    request.once('close', () => {
      clearTimeout(timer)
      resolve(answer ?? { status: undefined, message: HUNG_UP })
    })
    write(request, posting, giveUp)
  }

  return {
    post: (posting) =>
      new Promise<Answer>((resolve) => send(posting, resolve)).catch(() => ({
        status: undefined,
        message: 'The callback URL cannot be called',
      })),
    close() {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

function write(request: http.ClientRequest, { body, chunking }: Posting, giveUp: (message: string) => void): void {
  if (chunking === 'whole') request.end(body)
  if (chunking === 'split') {
    const cut = findCut(body)
    request.write(body.subarray(0, cut))
    request.end(body.subarray(cut))
  }
  if (chunking === 'dropped') {
    request.write(body.subarray(0, body.length / 2), () => giveUp('Connection dropped in the middle of the body'))
  }
}

/** Behind the first byte of the first character that has several; in the middle where there is none. */
function findCut(body: Uint8Array): number {
  const lead = body.findIndex((byte) => byte >= 0xc0)
  return lead === -1 ? Math.floor(body.length / 2) : lead + 1
}

const HUNG_UP = 'Connection closed without an answer'

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: HUNG_UP,
  EPIPE: HUNG_UP,
  ENOTFOUND: 'Host not found',
  EAI_AGAIN: 'Host not found',
}

/** In a few words, and never the error's own message, which may hold the URL. */
function describeFailure({ code = '' }: NodeJS.ErrnoException): string {
  if (code.startsWith('HPE_')) return 'The answer was not HTTP'
  return CAUSES[code] ?? `Connection failed (${code || 'unknown'})`
}
