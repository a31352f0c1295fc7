import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** One port in front of several: each connection goes to the next of them. */
export interface Spread {
  readonly port: number
  close(): Promise<void>
}

/** @param ports is asked for each connection, for they may not be known when the first one is to be told of. */
export async function openSpread(ports: () => readonly number[]): Promise<Spread> {
  const sockets = new Set<Socket>()
  let next = 0
  const server = createServer((near) => {
    const behind = ports()
    const far = connect(behind[next++ % behind.length] ?? 0, '127.0.0.1')
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
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server.close(), 'close')
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
