import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below those that systems hand out (from 32768 on): a connection that is made while nobody listens there must not take it. */
const PORTS = { first: 20_000, count: 12_000 }

/** A port at which processes can listen one after another. */
export async function findSteadyPort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count)
    const server = createServer().listen(port, '127.0.0.1')
    const isFree = await Promise.race([
      once(server, 'listening').then(() => true),
      once(server, 'error').then(() => false),
    ]).catch(() => false)
    if (!isFree) continue
    await once(server.close(), 'close')
    return port
  }
}
