import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'

/** A server on 127.0.0.1. */
export interface LocalServer {
  readonly url: string
  /** Ends all connections too. */
  close(): Promise<void>
}

/** Milliseconds in which a request must have come. Its body is small, and its sender is on this machine. */
const REQUEST_TIMEOUT_MS = 30_000

/** @throws Error if the port is in use. */
export async function startServer(
  fetch: Parameters<typeof createAdaptorServer>[0]['fetch'],
  port: number,
): Promise<LocalServer> {
  const server = createAdaptorServer({ fetch, serverOptions: { requestTimeout: REQUEST_TIMEOUT_MS } }) as Server
  await listen(server, port)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause
    throw new Error(`Port ${port} of 127.0.0.1 is in use. Choose another port, or leave it out to use a free one.`, {
      cause,
    })
  }
}
