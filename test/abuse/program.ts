/**
 * A shop in a process of its own: `program.ts <host> <options as JSON>`. It sends its parent the port as soon as it
 * listens, and answers the questions of {@link Question}.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import Koa from 'koa'
import { createExpressMiddleware } from '../../src/adapters/express.ts'
import { createFastifyPlugin } from '../../src/adapters/fastify.ts'
import { createFetchHandler } from '../../src/adapters/fetch.ts'
import { createKoaMiddleware } from '../../src/adapters/koa.ts'
import { createNodeListener } from '../../src/adapters/node.ts'
import { createReceiver, type Receiver } from '../../src/receiver/receiver.ts'
import { SECRET } from '../deliveries.ts'
import type { HostName, Question, ShopOptions } from './shop.ts'

/** How long a handler of a stored delivery waits: its worker waits more than it works, as those of shops do. */
const STORED_HANDLER_MS = 20
const CONCURRENCY = 10

const [, , host, given = '{}'] = process.argv
const { receiver: options }: ShopOptions = JSON.parse(given)
let handled = 0

const receiver = createReceiver({ secrets: { 'orders.place': SECRET, 'customers.create': SECRET }, ...options })
receiver.on('orders.place', () => {
  handled += 1
})
receiver.on('customers.create', () => sleep(STORED_HANDLER_MS))

const HOSTS: Readonly<Record<HostName, (receiver: Receiver) => Server | Promise<Server>>> = {
  node: (receiver) => createServer(createNodeListener(receiver)),
  http2: (receiver) => createHttp2Server(createNodeListener(receiver) as never) as unknown as Server,
  express: (receiver) => createServer(express().use('/webhooks', createExpressMiddleware(receiver))),
  koa: (receiver) => createServer(new Koa().use(createKoaMiddleware(receiver)).callback()),
  async fastify(receiver) {
    const app = fastify()
    await app.register(createFastifyPlugin(receiver), { prefix: '/webhooks' })
    await app.ready()
    return app.server
  },
  fetch: (receiver) => createServer(getRequestListener(createFetchHandler(receiver)) as RequestListener),
}

const server = await HOSTS[host as HostName](receiver)
// Node's usual backlog is 511: more connections at once wait for the system to try again, or are reset by it.
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  process.send?.({ port: (server.address() as AddressInfo).port }),
)

/** Handles stored deliveries as a worker does, and gives how many milliseconds they took. */
async function handleStored(count: number): Promise<number> {
  const body = new TextEncoder().encode('{"data":{"id":"a","type":"customers","attributes":{}}}')
  const start = performance.now()
  let left = count
  const work = async () => {
    while (left-- > 0) await receiver.handleStored({ topic: 'customers.create', body, receivedAt: new Date() })
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, work))
  return performance.now() - start
}

const ANSWERS: Readonly<Record<Question['ask'], (count: number) => unknown>> = {
  handled: () => handled,
  memory() {
    globalThis.gc?.()
    return process.memoryUsage().rss
  },
  'handle-stored': handleStored,
}

process.on('message', async ({ ask, count = 0 }: Question) => process.send?.({ answer: await ANSWERS[ask](count) }))
process.once('disconnect', () => process.exit())
