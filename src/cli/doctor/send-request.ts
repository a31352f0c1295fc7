import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** A request to the byte: the runner writes the parts one after another. */
export interface ProbeRequest {
  /** Default: `POST`. */
  readonly method?: string
  /** Default: `1.1`. */
  readonly version?: '1.0' | '1.1'
  /** Names and values as they are written. `Host` and `Connection` are added. */
  readonly headers: Readonly<Record<string, string>>
  /** The parts of the body, and the pause before each but the first. */
  readonly parts: readonly Uint8Array[]
  readonly pauseMs?: number
  /** The client disconnects after the last part, without waiting for an answer. */
  readonly cut?: boolean
}

/** What came back. */
export type Answer = (
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** The server did not answer in time. */
  | { readonly kind: 'none' }
  /** The server closed the connection without an answer, or refused it. */
  | { readonly kind: 'closed'; readonly error: Error | undefined }
  /** The probe itself disconnected. */
  | { readonly kind: 'cut' }
) & { readonly durationMs: number }

interface SendOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/**
 * Sends a request over a connection of its own. HTTP clients would correct what the probes do on purpose: they merge
 * packets, complete headers, and speak no HTTP/1.0.
 */
export function sendRequest(url: URL, request: ProbeRequest, options: SendOptions): Promise<Answer> {
  const socket = open(url)
  let startedAt = performance.now()
  const received: Buffer[] = []
  return new Promise((resolve, reject) => {
    const settle = (answer: OutcomeOf<Answer>) => {
      clearTimeout(timer)
      options.signal.removeEventListener('abort', abort)
      socket.destroy()
      resolve({ ...answer, durationMs: Math.round(performance.now() - startedAt) })
    }
    const abort = () => {
      reject(options.signal.reason)
      settle({ kind: 'none' })
    }
    const readAnswer = (isEnded: boolean) => parseAnswer(Buffer.concat(received), isEnded)
    const finish = (error?: Error) => settle(readAnswer(true) ?? { kind: 'closed', error })
    const timer = setTimeout(() => settle(readAnswer(true) ?? { kind: 'none' }), options.timeoutMs)
    options.signal.addEventListener('abort', abort)
    if (options.signal.aborted) abort()
    socket.on('data', (chunk) => {
      received.push(chunk)
      const answer = readAnswer(false)
      if (answer) settle(answer)
    })
    socket.on('error', finish)
    socket.on('close', () => finish())
    socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', async () => {
      await write(socket, url, request)
      startedAt = performance.now() // How long a body takes to send is up to the probe.
      if (request.cut) settle({ kind: 'cut' })
    })
  })
}

type OutcomeOf<T> = T extends unknown ? Omit<T, 'durationMs'> : never

function open({ protocol, hostname, port }: URL): Socket {
  const host = hostname.replace(/^\[|\]$/g, '')
  const servername = isIP(host) === 0 ? host : '' // TLS permits no address there, and Node warns of one.
  return protocol === 'https:'
    ? connectTls({ host, port: Number(port || 443), servername, ALPNProtocols: ['http/1.1'] })
    : connectPlain({ host, port: Number(port || 80), noDelay: true })
}

async function write(socket: Socket, url: URL, request: ProbeRequest): Promise<void> {
  const { method = 'POST', version = '1.1', headers, parts, pauseMs = 0 } = request
  const fields = Object.entries({ Host: url.host, ...headers, Connection: 'close' })
  const lines = [
    `${method} ${url.pathname}${url.search} HTTP/${version}`,
    ...fields.map(([name, value]) => `${name}: ${value}`),
  ]
  const [first = new Uint8Array(), ...rest] = parts
  await writeBytes(socket, Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), first]))
  for (const part of rest) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    await writeBytes(socket, part)
  }
}

/** An error of the socket is told by its event. */
function writeBytes(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve()
    else socket.write(bytes, () => resolve())
  })
}

type WholeAnswer = OutcomeOf<Extract<Answer, { kind: 'answer' }>>

/** An interim answer such as 100 is skipped. `isEnded` says that no more will come: a body may be cut then. */
function parseAnswer(bytes: Buffer, isEnded: boolean): WholeAnswer | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const head = bytes.toString('latin1', 0, headEnd)
  const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(head)?.[1])
  if (!status) return undefined
  const rest = bytes.subarray(headEnd + 4)
  if (status < 200) return parseAnswer(rest, isEnded)
  const length = /^content-length: *(\d+)/im.exec(head)?.[1]
  const isChunked = length === undefined && /^transfer-encoding: *chunked/im.test(head)
  const isWhole = isChunked ? rest.includes('0\r\n\r\n') : length !== undefined && rest.length >= Number(length)
  if (!isWhole && !isEnded) return undefined
  return { kind: 'answer', status, body: (isChunked ? joinChunks(rest) : rest).toString() }
}

/** The body without the lengths of its chunks. */
function joinChunks(bytes: Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    if (lineEnd === -1 || !(size > 0)) break
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
  return Buffer.concat(chunks)
}
