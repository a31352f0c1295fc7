import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createReceiver, type Logger } from 'hooklayer'
import { expect, it } from 'vitest'
import { delivery, order, SECRET } from '../../deliveries.ts'

setFlagsFromString('--expose-gc')
const gc: (options?: { readonly type: 'minor' }) => void = runInNewContext('gc')

const DELIVERIES = 300
const MEGABYTE = 2 ** 20

/** Reads nothing, as most loggers that write to nowhere do. */
const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} }

it.each([
  ['its outcome was logged', { logger }],
  ['an observer was told of it', { logger: { warn() {}, error() {} }, observers: [{ onEvent() {} }] }],
  [
    'an observer has wrapped its handler',
    { logger: { warn() {}, error() {} }, observers: [{ wrapHandler: (_: unknown, run: () => unknown) => run() }] },
  ],
])('leaves no document to a full collection of V8 because %s', async (_, options) => {
  const receiver = createReceiver({ secrets: { 'orders.place': SECRET }, ...options })
  receiver.on('orders.place', () => {})
  const items = Array.from({ length: 400 }, (_, at) => ({ id: `item-${at}`, type: 'line_items', attributes: { at } }))
  const request = delivery('orders.place', { data: order(), included: items })
  const handle = async (times: number) => {
    for (let i = 0; i < times; i++) {
      expect((await receiver.receive(request)).status).toBe(200)
      if (i % 10 === 0) gc({ type: 'minor' })
    }
    gc({ type: 'minor' })
    gc({ type: 'minor' })
  }
  await handle(20)
  gc()
  const before = process.memoryUsage().heapUsed
  await handle(DELIVERIES)
  const kept = process.memoryUsage().heapUsed - before
  gc()
  // Each document is about 90 KB of objects and text.
  expect(kept / MEGABYTE).toBeLessThan(5)
})
