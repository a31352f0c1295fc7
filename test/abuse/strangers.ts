import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2'
import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { signed } from '../deliveries.ts'
import type { Shop } from './shop.ts'

/** A signature that is right by its form. */
const FORGED = signed('', 'forged')
/** Streams of one HTTP/2 connection. */
const STREAMS = 100

export interface Flood {
  /** Unfinished requests at the same time. */
  readonly held: number
  /** New ones a second. */
  readonly perSecond: number
  readonly topics: readonly string[]
}

/** Requests whose body never ends. */
export interface Strangers {
  /** How many were sent. */
  count(): number
  stop(): void
}

/** Sends the heads of requests and one byte of each body, and opens new ones for those that are closed. */
export async function startFlood(shop: Shop, { held, perSecond, topics }: Flood): Promise<Strangers> {
  const open = shop.isHttp2 ? http2Opener(shop) : tcpOpener(shop)
  let sent = 0
  let isOver = false
  const unfinished = new Set<Socket | ClientHttp2Stream>()
  const add = () => {
    const one = open(topics[sent % topics.length] ?? '')
    sent += 1
    unfinished.add(one)
    one.on('error', () => {})
    one.on('close', () => unfinished.delete(one))
  }
  const keepUp = async () => {
    while (!isOver) {
      for (let i = 0; i < perSecond / 20 && unfinished.size < held; i += 1) add()
      await sleep(50)
    }
  }
  for (let i = 0; i < held; i += 1) add()
  await sleep(500)
  const running = keepUp()
  return {
    count: () => sent,
    stop() {
      isOver = true
      running.finally(() => {
        for (const one of unfinished) one.destroy()
        open.end()
      })
    },
  }
}

interface Opener {
  (topic: string): Socket | ClientHttp2Stream
  end(): void
}

function tcpOpener({ url }: Shop): Opener {
  const { hostname, port, pathname } = new URL(url)
  const open = (topic: string) => {
    const socket = connectTcp(Number(port), hostname).resume()
    const fields = [`Host: ${hostname}`, `X-CommerceLayer-Topic: ${topic}`, `X-CommerceLayer-Signature: ${FORGED}`]
    socket.write(`POST ${pathname} HTTP/1.1\r\n${fields.join('\r\n')}\r\nContent-Length: 5000\r\n\r\n{`)
    return socket
  }
  return Object.assign(open, { end() {} })
}

function http2Opener({ url }: Shop): Opener {
  const sessions: ClientHttp2Session[] = []
  let used = STREAMS
  const open = (topic: string) => {
    let session = sessions.at(-1)
    if (!session || session.closed || session.destroyed || used === STREAMS) {
      session = connectHttp2(url).on('error', () => {})
      sessions.push(session)
      used = 0
    }
    used += 1
    const stream = session.request({
      ':method': 'POST',
      ':path': new URL(url).pathname,
      'x-commercelayer-topic': topic,
      'x-commercelayer-signature': FORGED,
    })
    stream.write('{')
    stream.resume()
    return stream
  }
  return Object.assign(open, {
    end() {
      for (const session of sessions) session.destroy()
    },
  })
}

/** Sends a head that announces a body, and all of the body but its last byte. */
export async function sendAllButOneByte({ url }: Shop, body: Uint8Array): Promise<Socket> {
  const { hostname, port, pathname } = new URL(url)
  const socket = connectTcp(Number(port), hostname)
    .resume()
    .on('error', () => {})
  await once(socket, 'connect')
  const fields = [`Host: ${hostname}`, 'X-CommerceLayer-Topic: orders.place', `X-CommerceLayer-Signature: ${FORGED}`]
  socket.write(`POST ${pathname} HTTP/1.1\r\n${fields.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n`)
  socket.write(body.subarray(0, -1))
  return socket
}
