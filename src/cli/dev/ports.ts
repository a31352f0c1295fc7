import { once } from 'node:events'
import { connect, createServer } from 'node:net'

const POLL_MS = 50

/** Whether something listens there. */
export async function isPortOpen({ hostname, port }: { readonly hostname: string; readonly port: number }) {
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port, timeout: 1000 })
  socket.on('timeout', () => socket.destroy(new Error('No answer.')))
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Resolves when something listens there: with `false` when it is stopped before. */
export async function waitForPort(
  address: { readonly hostname: string; readonly port: number },
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted) {
    if (await isPortOpen(address)) return true
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  return false
}

export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
