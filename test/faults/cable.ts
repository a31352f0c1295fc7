import type { Socket } from 'node:net'
import { openRelay } from './relay.ts'

/** The network between a shop and a server. It can be cut. */
export interface Cable {
  /** The URL that leads to the server through the cable. */
  readonly url: string
  /** Silences all connections for good, without closing them. New ones are silent too, until it is repaired. */
  cut(): void
  repair(): void
  close(): Promise<void>
}

/** Opens a cable to the server of the URL. */
export async function createCable(url: string): Promise<Cable> {
  const { hostname, port } = new URL(url)
  let isCut = false
  const relay = await openRelay({
    target: () => ({ port: Number(port), host: hostname }),
    onConnection: (near) => void (isCut && silence(near)),
  })
  const seeming = new URL(url)
  seeming.port = String(relay.port)

  return {
    url: seeming.href,
    cut() {
      isCut = true
      for (const socket of relay.sockets) silence(socket)
    },
    repair() {
      isCut = false
    },
    close: relay.close,
  }
}

function silence(socket: Socket): void {
  socket.unpipe()
  socket.pause()
}
