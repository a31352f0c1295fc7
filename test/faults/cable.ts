import type { Socket } from 'node:net'
import { openRelay } from './relay.ts'

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
    mend() {
      isCut = false
    },
    close: relay.close,
  }
}

function silence(socket: Socket): void {
  socket.unpipe()
  socket.pause()
}
