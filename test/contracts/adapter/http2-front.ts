import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ClientHttp2Session, connect, constants, type OutgoingHttpHeaders } from 'node:http2'
import type { Listening } from './host.ts'
import { listen } from './listen.ts'

/** Fields of a connection, which HTTP/2 forbids, and those that it says in another way. */
const OF_CONNECTION = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'host', 'expect'])

/**
 * A proxy before a host that speaks HTTP/2: each request becomes a stream of one session. So the suite of all adapters
 * reaches such a host, too.
 */
export async function startFront(host: Listening): Promise<Listening> {
  const { origin } = new URL(host.url)
  const session = connect(origin)
  const front = await listen((request, response) => passOn(session, request, response))
  return {
    url: host.url.replace(origin, new URL(front.url).origin),
    async close() {
      await front.close()
      session.destroy()
      await host.close()
    },
  }
}

function passOn(session: ClientHttp2Session, request: IncomingMessage, response: ServerResponse): void {
  const stream = session.request(toStreamHeaders(request), { endStream: false, waitForTrailers: true })
  const hangUp = () => request.socket.destroy()
  stream.once('wantTrailers', () => stream.sendTrailers(request.trailers))
  stream.once('response', (fields) => {
    const names = Object.keys(fields).filter((name) => !name.startsWith(':'))
    response.writeHead(Number(fields[':status']), Object.fromEntries(names.map((name) => [name, fields[name]])))
    stream.pipe(response)
  })
  stream.once('error', hangUp)
  stream.once('close', () => {
    if (response.writableFinished && request.complete) return
    if (response.headersSent) response.once('finish', () => request.complete || hangUp())
    else hangUp()
  })
  request.pipe(stream)
  response.once('close', () => response.writableFinished || stream.close(constants.NGHTTP2_CANCEL))
}

function toStreamHeaders({ method, url, rawHeaders }: IncomingMessage): OutgoingHttpHeaders {
  const headers: Record<string, string[]> = {}
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = [rawHeaders[at]?.toLowerCase(), rawHeaders[at + 1]]
    if (!OF_CONNECTION.has(name)) headers[name] = [...(headers[name] ?? []), value]
  }
  const fields = Object.entries(headers).map(([name, values]) => [name, values.length > 1 ? values : values[0]])
  return { ...Object.fromEntries(fields), ':method': method, ':path': url }
}
