import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Inbox } from 'hooklayer'
import { createDashboard } from 'hooklayer/dashboard'
import type { EmulatedCall, Emulator } from 'hooklayer/emulator'
import { createRecorder, readRecords } from 'hooklayer/recorder'
import { createDevRecords, type DevRecords } from './dev-records.ts'
import { isPortInUse } from './emulator-flags.ts'
import type { CallReport } from './report-call.ts'

/** The dashboard of `hooklayer dev`, for this machine only. */
export interface DevDashboard {
  /** With the token that opens it. */
  readonly url: string
  /** Where a recorder sends its records, with a token of its own: `HOOKLAYER_RECORDER_URL`. */
  readonly recorderUrl: string
  /** Tells of a call of the emulator that has ended. */
  addCall(call: EmulatedCall, report: CallReport): void
  close(): Promise<void>
}

interface DevDashboardOptions {
  readonly emulator: Emulator
  readonly inbox: Inbox | undefined
}

const HOST = '127.0.0.1'
const RECORDS = '/records'
/** How many ports after that of the emulator are tried. */
const MAX_PORTS = 20
/** A recorder gathers up to 32 MiB of bodies, and sends them in base64. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024

/** Starts it on the port after that of the emulator, or the next that is free. */
export async function startDevDashboard({ emulator, inbox }: DevDashboardOptions): Promise<DevDashboard> {
  const [token, session, recorderToken] = [createToken(), createToken(), createToken()]
  const records = createDevRecords(createRecorder({ redact: false }))
  const server = await listenOnFreePort(Number(new URL(emulator.url).port) + 1)
  const { port } = server.address() as AddressInfo
  // Cookies are not kept apart by port, so each has a name of its own.
  const cookie = `hooklayer-${port}`
  const dashboard = createDashboard({
    recorder: records,
    emulator,
    inbox,
    path: '/',
    redact: false,
    authorize: (request) => authorize(request, { token, session, cookie }),
  })
  const hosts = [`${HOST}:${port}`, `localhost:${port}`]
  server.on('request', (request, response) => {
    // A name of somebody else that leads here would be another host to the browser, and the same one to us.
    if (!hosts.includes(request.headers.host ?? ''))
      refuse(response, `Open it at http://${HOST}:${port}, with the token that \`hooklayer dev\` has printed.`)
    else if (request.url?.startsWith(`${RECORDS}?`)) void takeRecords(request, response, records, recorderToken)
    else void dashboard.listener(request, response)
  })
  const origin = `http://${HOST}:${port}`
  return {
    url: `${origin}/?token=${token}`,
    recorderUrl: `${origin}${RECORDS}?token=${recorderToken}`,
    addCall: records.addCall,
    async close() {
      dashboard.close()
      records.close()
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function listenOnFreePort(first: number): Promise<Server> {
  for (let port = first; ; port += 1) {
    const server = createServer().listen(port <= 65_535 ? port : 0, HOST)
    try {
      await once(server, 'listening')
      return server
    } catch (error) {
      if (!isPortInUse(error) || port - first >= MAX_PORTS) throw error
    }
  }
}

interface Keys {
  readonly token: string
  readonly session: string
  readonly cookie: string
}

/** The token in the URL becomes a cookie, and leaves the address bar. */
function authorize(request: Request, { token, session, cookie }: Keys): boolean | Response {
  const url = new URL(request.url)
  const given = url.searchParams.get('token')
  if (given !== null && isSame(given, token) && request.method === 'GET') {
    const headers = { location: url.pathname, 'set-cookie': `${cookie}=${session}; HttpOnly; SameSite=Strict; Path=/` }
    return new Response(null, { status: 303, headers })
  }
  const cookies = (request.headers.get('cookie') ?? '').split(/; */)
  if (cookies.some((one) => one.startsWith(`${cookie}=`) && isSame(one.slice(cookie.length + 1), session))) return true
  const error =
    'Open the address with the token that `hooklayer dev` has printed. In its terminal, `d` prints it again.'
  // Somebody who opens an address reads the sentence; the page reads JSON.
  const isOpened = request.headers.get('accept')?.includes('text/html')
  return isOpened ? new Response(error, { status: 403 }) : Response.json({ error }, { status: 403 })
}

async function takeRecords(
  request: IncomingMessage,
  response: ServerResponse,
  records: DevRecords,
  token: string,
): Promise<void> {
  const given = new URL(request.url ?? '', `http://${HOST}`).searchParams.get('token') ?? ''
  if (request.method !== 'POST' || request.headers.origin !== undefined || !isSame(given, token)) {
    return refuse(response, 'Records come from a recorder with its token.')
  }
  try {
    records.addRecords(readRecords(await readBody(request)))
    response.writeHead(204).end()
  } catch {
    response.writeHead(400).end()
    request.destroy()
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > MAX_RECORD_BYTES) throw new RangeError('These are too many.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function refuse(response: ServerResponse, error: string): void {
  response.writeHead(403, { 'content-type': 'text/plain; charset=utf-8' }).end(error)
}

function createToken(): string {
  return randomBytes(24).toString('base64url')
}

function isSame(given: string, expected: string): boolean {
  const [one, other] = [given, expected].map((text) => createHash('sha256').update(text).digest())
  return one !== undefined && other !== undefined && timingSafeEqual(one, other)
}
