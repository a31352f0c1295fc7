import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import type { Sent } from './deliveries.ts'
import type { Target } from './harness.ts'

interface RawAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An HTTP client with which a test decides about every byte, packet and moment. */
export interface RawClient {
  /** Resolves when the system has taken the bytes (`true`) or could not (`false`). */
  send(bytes: string | Uint8Array): Promise<boolean>
  /** The next answer; rejects if the connection ends before there is one. */
  answer(): Promise<RawAnswer>
  /** Resolves when the connection is closed, by either side. */
  readonly closed: Promise<void>
  readonly isClosed: boolean
  /** Closes the sending half. */
  end(): void
  /** Disconnects at once (RST). */
  reset(): void
}

export async function connect({ url }: Target): Promise<RawClient> {
  const { hostname, port } = new URL(url)
  const socket = createConnection({ host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true })
  await once(socket, 'connect')
  return clientOn(socket)
}

function clientOn(socket: Socket): RawClient {
  let received = Buffer.alloc(0)
  let ended = false
  let onChange = () => {}
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const settle = () => {
    ended = true
    onChange()
    socket.end()
  }
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    onChange()
  })
  socket.on('error', () => {})
  socket.on('end', settle)
  socket.on('close', settle)

  async function answer(): Promise<RawAnswer> {
    for (;;) {
      const parsed = parseAnswer(received)
      if (parsed) {
        received = received.subarray(parsed.length)
        if (parsed.answer.status >= 200) return parsed.answer
        continue
      }
      if (ended) throw new Error(`The connection ended before there was an answer; received: "${received}"`)
      await new Promise<void>((resolve) => {
        onChange = resolve
      })
    }
  }

  return {
    answer,
    closed,
    get isClosed() {
      return ended
    },
    send: (bytes) => new Promise((resolve) => socket.write(bytes, (error) => resolve(!error))),
    end: () => socket.end(),
    reset: () => socket.resetAndDestroy(),
  }
}

function parseAnswer(bytes: Buffer): { answer: RawAnswer; length: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const [statusLine = '', ...fields] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const status = Number(statusLine.split(' ')[1])
  const headers: Record<string, string> = {}
  for (const field of fields) {
    const colon = field.indexOf(':')
    headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 1).trim()
  }
  const rest = bytes.subarray(headEnd + 4)
  const chunked = headers['transfer-encoding'] === 'chunked'
  const body = status < 200 ? { text: '', length: 0 } : chunked ? dechunked(rest) : counted(rest, headers)
  return body && { answer: { status, headers, body: body.text }, length: headEnd + 4 + body.length }
}

interface Body {
  readonly text: string
  readonly length: number
}

function counted(bytes: Buffer, headers: Readonly<Record<string, string>>): Body | undefined {
  const length = Number(headers['content-length'] ?? 0)
  return bytes.length < length ? undefined : { text: bytes.toString('utf8', 0, length), length }
}

function dechunked(bytes: Buffer): Body | undefined {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const end = lineEnd + 2 + size
    if (bytes.length < end + 2) return undefined
    parts.push(bytes.subarray(lineEnd + 2, end))
    at = end + 2
    if (size === 0) return { text: Buffer.concat(parts).toString('utf8'), length: at }
  }
}

/** The head of a POST, as text: the request line and the fields, in the order and the case given. */
export function headOf(
  { url, headers: own = {} }: Target,
  headers: Readonly<Record<string, string>> | string[],
): string {
  const { host, pathname } = new URL(url)
  const fields = Array.isArray(headers) ? [...linesOf(own), ...headers] : linesOf({ ...own, ...headers })
  return [`POST ${pathname} HTTP/1.1`, `Host: ${host}`, ...fields, '', ''].join('\r\n')
}

function linesOf(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
}

/** A whole request with a `Content-Length`. */
export function requestOf(target: Target, { headers, body }: Sent): Buffer {
  return Buffer.concat([Buffer.from(headOf(target, { ...headers, 'content-length': String(body.length) })), body])
}

/** One chunk of a chunked body; an empty one ends it. */
export function chunkOf(bytes: Uint8Array | string): Buffer {
  const data = Buffer.from(bytes)
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')])
}

/** Sends the same bytes every 20 ms, until the connection is closed. */
export async function trickle(client: RawClient, bytes: Uint8Array): Promise<void> {
  while (!client.isClosed) {
    await client.send(bytes)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
