import { once } from 'node:events'
import type { Http2SecureServer, Http2Server, ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Listening } from './host.ts'

/** Makes a server of `node:http2` listen on a free port of the loopback interface. */
export async function listenHttp2(
  server: Http2Server | Http2SecureServer,
  { path = '/', scheme = 'http' } = {},
): Promise<Listening> {
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `${scheme}://127.0.0.1:${port}${path}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const session of sessions) session.destroy()
      await closed
    },
  }
}
