import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ephemeral ports (from 32768 on): an outgoing connection must not take the port while nobody listens. */
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
