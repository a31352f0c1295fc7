import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Listening } from './host.ts'

/** A server of `node:http` on a free port of the loopback interface. */
export async function listen(listener: RequestListener, path = '/'): Promise<Listening> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return listeningOn(server, path)
}

/** The same for a server that is already listening. */
export function listeningOn(server: Server, path = '/'): Listening {
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}${path}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
