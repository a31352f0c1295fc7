import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { createReceiver, createWorker, type DeadLetter, type Receiver } from 'hooklayer'
import { createDashboard } from 'hooklayer/dashboard'
import { createEmulator, type Emulator } from 'hooklayer/emulator'
import { createExpressMiddleware } from 'hooklayer/express'
import type { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createManagement, type Management } from 'hooklayer/management'
import { createNodeListener } from 'hooklayer/node'
import { createRecorder } from 'hooklayer/recorder'
import { createResponder, refuse } from 'hooklayer/responder'
import { OTHER_SECRET, SECRET } from '../deliveries.ts'

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

/** A shop with everything that a dashboard can show, all of it real. */
export interface Shop {
  /** Of the dashboard, with a slash at its end. */
  readonly url: string
  readonly receiver: Receiver
  readonly emulator: Emulator
  readonly management: Management
  readonly recorder: ReturnType<typeof createRecorder>
  readonly inbox: ReturnType<typeof createSqliteInbox> | ReturnType<typeof createBullmqInbox>
  /** Where deliveries are handled before the answer. */
  readonly hookUrl: string
  /** The same receiver behind `express.json()`. */
  readonly parsedUrl: string
  /** Where deliveries are stored in the inbox first. */
  readonly inboxUrl: string
  /** What is answered to whoever asks for prices. Taxes are answered by a responder, which knows none for `untaxed`. */
  readonly prices: { status: number; text: string }
  /** How often the handler of `orders.approve` has handled an order, by id. */
  readonly effects: Map<string, number>
  /** Whether the handler of `orders.approve` fails. */
  setBroken(isBroken: boolean): void
  listDead(): Promise<readonly DeadLetter[]>
  /** Stops the server of the dashboard, and starts it again on the same port. */
  stopServer(): Promise<void>
  startServer(): Promise<void>
  close(): Promise<void>
}

export interface ShopOptions {
  /** Whether the dashboard is one of development. Default: true. */
  readonly isDevelopment?: boolean
  readonly redact?: boolean
  /** Where records are written. Default: in memory. */
  readonly recorderFile?: string
  /** Default: one in a SQLite file. The shop closes it. */
  readonly inbox?: Shop['inbox']
}

export async function openShop({
  isDevelopment = true,
  redact = false,
  recorderFile,
  inbox: givenInbox,
}: ShopOptions = {}): Promise<Shop> {
  const folder = mkdtempSync(join(tmpdir(), 'dashboard-'))
  const recorder = createRecorder(recorderFile ? { file: recorderFile, logger: SILENT } : { redact })
  const inbox = givenInbox ?? createSqliteInbox({ file: join(folder, 'inbox.db') })
  const secrets = {
    'orders.place': SECRET,
    'orders.approve': SECRET,
    'customers.create': SECRET,
    'shipments.ship': OTHER_SECRET,
  }
  const shared = { secrets, logger: SILENT, recorder }
  const receiver = createReceiver({ ...shared, maxBodyBytes: 4_000_000, bodyTimeoutMs: 300 })
  receiver.on('orders.place', { name: 'confirm order' }, async ({ resource }) => {
    if (resource.metadata?.fail) throw new Error('The ERP does not answer: connect ECONNREFUSED')
  })
  receiver.on('orders.place', { name: 'count order' }, () => {})
  receiver.on('customers.create', { name: 'greet' }, () => {})
  const storing = createReceiver({ ...shared, inbox })
  const effects = new Map<string, number>()
  let isBroken = true
  storing.on('orders.approve', { name: 'pack order' }, ({ resource }) => {
    if (isBroken) throw new Error('The warehouse is closed')
    effects.set(resource.id, (effects.get(resource.id) ?? 0) + 1)
  })
  const worker = createWorker({ receiver: storing, inbox, attempts: 1, logger: SILENT })

  const taxes = createResponder('tax', { secret: SECRET, logger: SILENT }, ({ resource: order }) =>
    order.number === 'untaxed' ? refuse('NO_TAX', 'There is no tax for this order.') : { tax_rate: 0.22 },
  )
  const prices = { status: 200, text: '{"success":true,"data":{"unit_amount_cents":4900}}' }

  const hooks = await listen(createNodeListener(receiver))
  const parsed = await listen(express().use(express.json({ type: () => true }), createExpressMiddleware(receiver)))
  const stored = await listen(createNodeListener(storing))
  const taxed = await listen(createNodeListener(taxes))
  const priced = await listen((request, response) => {
    request.resume().on('end', () => response.writeHead(prices.status).end(prices.text))
  })
  const emulator = await createEmulator({ retries: 0 })
  const [hookUrl, parsedUrl, inboxUrl] = [toUrl(hooks), toUrl(parsed), toUrl(stored)]
  await emulator.subscribe('orders.place', hookUrl, { secret: SECRET })
  await emulator.subscribe('customers.create', hookUrl, { secret: SECRET })
  await emulator.subscribe('orders.approve', inboxUrl, { secret: SECRET })

  emulator.addHolder('tax', `${toUrl(taxed)}taxes`, { secret: SECRET })
  emulator.addHolder('prices', `${toUrl(priced)}prices`, { secret: SECRET })

  const { url, organization, clientId, clientSecret } = emulator
  const management = createManagement({ url, organization, clientId, clientSecret })
  const dashboard = createDashboard({
    recorder,
    inbox,
    receiver,
    callbackUrl: hookUrl,
    management,
    ...(isDevelopment && { emulator }),
    redact,
    authorize: () => true,
    logger: SILENT,
  })
  let server = await listen(dashboard.listener)
  const { port } = server.address() as AddressInfo
  return {
    url: toUrl(server),
    receiver,
    emulator,
    management,
    recorder,
    inbox,
    hookUrl,
    parsedUrl,
    inboxUrl,
    prices,
    effects,
    setBroken(next) {
      isBroken = next
    },
    async listDead() {
      const letters: DeadLetter[] = []
      for await (const letter of inbox.deadLetters.list()) letters.push(letter)
      return letters
    },
    stopServer: () => stop(server),
    async startServer() {
      server = await listen(dashboard.listener, port)
    },
    async close() {
      dashboard.close()
      await Promise.all([server, hooks, parsed, stored, taxed, priced].map(stop))
      await emulator.close()
      await worker.stop()
      await inbox.close()
      await recorder.close()
      rmSync(folder, { recursive: true })
    },
  }
}

async function listen(listener: RequestListener, port = 0): Promise<Server> {
  const server = createServer(listener).listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function stop(server: Server): Promise<void> {
  if (!server.listening) return
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
}

function toUrl(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** Sends a request as it is, such as one of {@link delivery}. */
export async function post(
  url: string,
  { method = 'POST', headers, body }: { method?: string; headers: Record<string, string>; body: Uint8Array | string },
): Promise<number> {
  const sent = typeof body === 'string' ? body : new Uint8Array(body)
  const response = await fetch(url, { method, headers, body: sent })
  await response.arrayBuffer()
  return response.status
}
