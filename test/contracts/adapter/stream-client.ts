import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { Sent } from './deliveries.ts'
import type { Target } from './harness.ts'

interface StreamAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A request that is being sent on a stream of HTTP/2. */
export interface StreamRequest {
  readonly stream: ClientHttp2Stream
  /** Rejects if the stream ends before it has brought an answer. */
  answer(): Promise<StreamAnswer>
  /** Resolves with the code with which the stream has ended, once it has. */
  readonly closed: Promise<number>
  /** Ends the stream at once (RST_STREAM). */
  reset(code?: number): void
}

/** A session of HTTP/2, which all its requests share. */
export interface StreamClient {
  readonly session: ClientHttp2Session
  /** Begins a POST, whose body is still to be written. */
  begin(headers: OutgoingHttpHeaders, trailers?: OutgoingHttpHeaders): StreamRequest
  /** Sends a whole request. */
  send(sent: Sent, trailers?: OutgoingHttpHeaders): Promise<StreamAnswer>
  /** Disconnects at once (RST), without a frame of HTTP/2. */
  breakOff(): void
}

/** Connects with prior knowledge, or by ALPN where the URL says `https`. */
export async function openSession(
  { url, headers: own }: Target,
  options: SecureClientSessionOptions = {},
): Promise<StreamClient> {
  const { origin, pathname } = new URL(url)
  const session = connect(origin, options)
  session.on('error', () => {})
  const [, socket] = (await once(session, 'connect')) as [unknown, Socket]
  function begin(headers: OutgoingHttpHeaders, trailers?: OutgoingHttpHeaders): StreamRequest {
    const fields = { ':method': 'POST', ':path': pathname, ...own, ...headers }
    const stream = session.request(fields, { endStream: false, waitForTrailers: trailers !== undefined })
    if (trailers) stream.once('wantTrailers', () => stream.sendTrailers(trailers))
    return requestOn(stream)
  }
  return {
    session,
    begin,
    send({ headers, body }, trailers) {
      const { stream, answer } = begin(headers, trailers)
      stream.end(body)
      return answer()
    },
    breakOff: () => socket.resetAndDestroy(),
  }
}

function requestOn(stream: ClientHttp2Stream): StreamRequest {
  stream.on('error', () => {})
  const closed = new Promise<number>((resolve) => stream.once('close', () => resolve(stream.rstCode)))
  const headers = new Promise<IncomingHttpHeaders>((resolve) => stream.once('response', resolve))
  let body = ''
  stream.setEncoding('utf8').on('data', (text: string) => {
    body += text
  })
  const ended = new Promise((resolve) => stream.once('end', resolve))
  return {
    stream,
    closed,
    async answer() {
      const found = await Promise.race([headers, closed])
      if (typeof found === 'number') throw new Error(`The stream ended without an answer, with the code ${found}.`)
      await Promise.race([ended, closed])
      return { status: Number(found[':status']), headers: found, body }
    },
    reset: (code = constants.NGHTTP2_CANCEL) => stream.close(code),
  }
}
