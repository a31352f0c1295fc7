/**
 * A process with responders whose handlers die, each way of dying at a path of its own: `/throws` and so on. It sends
 * its parent the port, and for each message what was told to `onError` and to the process.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createUpstream, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNodeListener } from '../../src/adapters/node.ts'
import { isWebhookError } from '../../src/core/errors.ts'
import type { ErrorHandler } from '../../src/core/handle/report.ts'
import { createResponder, type ResponderHandler } from '../../src/responder/index.ts'
import { TEST_SECRET } from '../../src/testing/index.ts'

const FALLBACK = { tax_rate: 0.22 }
/** Later than the deadline, which is 3,950. */
const LATE_MS = 4500
/** Shortly before the deadline. */
const BLOCKED_MS = 3700

const never = () => new Promise<never>(() => {})
async function readRate(upstream: number): Promise<{ tax_rate: number }> {
  const response = await fetch(`http://127.0.0.1:${upstream}`)
  return (await response.json()) as { tax_rate: number }
}

const upstreams = {
  reset: await openUpstream((socket) => socket.resetAndDestroy()),
  resetHalfway: await openUpstream((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{"tax_', () => socket.resetAndDestroy())
  }),
}

const handlers: Readonly<Record<string, ResponderHandler<'tax'>>> = {
  lives: () => ({ tax_rate: 0.1 }),
  throws() {
    throw new Error('It throws.')
  },
  rejects: () => Promise.reject(new Error('It rejects.')),
  'upstream-resets': () => readRate(upstreams.reset),
  'upstream-resets-halfway': () => readRate(upstreams.resetHalfway),
  'never-ends': never,
  'rejects-late': () => sleep(LATE_MS).then(() => Promise.reject(new Error('It rejects late.'))),
  'throws-in-callback'() {
    setTimeout(() => {
      throw new Error('Nobody catches it.')
    }, 10)
    return never()
  },
  async 'blocks-the-loop'() {
    const end = performance.now() + BLOCKED_MS
    await sleep(500) // Until all requests of the test have arrived.
    while (performance.now() < end);
    return never()
  },
}

const told: Record<string, number> = {}
const count = (what: string) => {
  told[what] = (told[what] ?? 0) + 1
}
// As a shop that reports its errors and goes on.
process.on('uncaughtException', () => count('uncaught'))

const options = { secret: TEST_SECRET, fallback: FALLBACK, logger: { warn() {}, error() {} } }
const listeners = new Map(
  Object.entries(handlers).map(([way, handler]) => {
    const onError: ErrorHandler = (error) => count(`${way} ${isWebhookError(error) ? error.code : error.name}`)
    return [`/${way}`, createNodeListener(createResponder('tax', { ...options, onError }, handler))]
  }),
)
const server = createServer((request, response) => listeners.get(String(request.url))?.(request, response))
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('message', () => process.send?.(told))

/** A server that takes a request and then does this. */
async function openUpstream(act: (socket: Socket) => void): Promise<number> {
  const upstream = createUpstream((socket) => socket.once('data', () => act(socket)).on('error', () => {}))
  await once(upstream.listen(0, '127.0.0.1'), 'listening')
  return (upstream.address() as AddressInfo).port
}
