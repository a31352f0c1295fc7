import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP proxy. */
export interface Relay {
  readonly port: number
  /** Both ends of every connection that is open. */
  readonly sockets: ReadonlySet<Socket>
  close(): Promise<void>
}

interface RelayOptions {
  /** Called for each connection. */
  readonly target: () => { readonly port: number; readonly host: string }
  /** Called when a connection was opened. */
  readonly onConnection?: (near: Socket) => void
}

/** Forwards a free port, and closes one end of a connection when the other was closed. */
export async function openRelay({ target, onConnection }: RelayOptions): Promise<Relay> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(target())
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket
        .on('error', () => {})
        .once('close', () => {
          sockets.delete(socket)
          other.destroy()
        })
      socket.pipe(other)
    }
    onConnection?.(near)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    async close() {
      const closed = once(server.close(), 'close')
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
