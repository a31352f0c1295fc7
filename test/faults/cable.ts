import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What lies between a shop and a server, and can be cut. */
export interface Cable {
  /** Where the server seems to be. */
  readonly url: string
  /** Connections go silent, for good: no end of them is told. New ones get no answer either, until it is mended. */
  cut(): void
  mend(): void
  close(): Promise<void>
}

/** Leads to where the URL of a server does. */
export async function createCable(url: string): Promise<Cable> {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
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
    }
    near.pipe(far)
    far.pipe(near)
    if (isCut) silence(near)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const seeming = new URL(url)
  seeming.port = String((server.address() as AddressInfo).port)

  return {
    url: seeming.href,
    cut() {
      isCut = true
      for (const socket of sockets) silence(socket)
    },
    mend() {
      isCut = false
    },
    async close() {
      const closed = once(server.close(), 'close')
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

function silence(socket: Socket): void {
  socket.unpipe()
  socket.pause()
}
