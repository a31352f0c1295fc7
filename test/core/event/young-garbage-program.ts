import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parentPort, workerData } from 'node:worker_threads'
import { createReceiver, type ReceiverOptions } from 'hooklayer'
import { delivery, order, SECRET } from '../../deliveries.ts'

setFlagsFromString('--expose-gc')
const gc: (options?: { readonly type: 'minor' }) => void = runInNewContext('gc')

const DELIVERIES = 300
/** Reads nothing, as most loggers that write to nowhere do. */
const QUIET = { debug() {}, info() {}, warn() {}, error() {} }
const { warn, error } = QUIET

const OPTIONS: Readonly<Record<string, Omit<ReceiverOptions, 'secrets'>>> = {
  logged: { logger: QUIET },
  observed: { logger: { warn, error }, observers: [{ onEvent() {} }] },
  wrapped: { logger: { warn, error }, observers: [{ wrapHandler: (_, run) => run() }] },
}

const receiver = createReceiver({ secrets: { 'orders.place': SECRET }, ...OPTIONS[workerData] })
receiver.on('orders.place', () => {})
const items = Array.from({ length: 400 }, (_, at) => ({ id: `item-${at}`, type: 'line_items', attributes: { at } }))
const request = delivery('orders.place', { data: order(), included: items })

async function handle(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const { status } = await receiver.receive(request)
    if (status !== 200) throw new Error(`It was answered with ${status}.`)
    if (i % 10 === 0) gc({ type: 'minor' })
  }
  gc({ type: 'minor' })
  gc({ type: 'minor' })
}

await handle(20)
gc()
const before = process.memoryUsage().heapUsed
await handle(DELIVERIES)
parentPort?.postMessage(process.memoryUsage().heapUsed - before)
