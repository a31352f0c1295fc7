import { getRequestListener } from '@hono/node-server'
import { bulkhead } from 'cockatiel'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { createReceiver, type Receiver } from 'hooklayer'
import { createExpressMiddleware } from 'hooklayer/express'
import { createFastifyPlugin } from 'hooklayer/fastify'
import { createFetchHandler } from 'hooklayer/fetch'
import { createKoaMiddleware } from 'hooklayer/koa'
import { createLambdaHandler } from 'hooklayer/lambda'
import { createNodeListener } from 'hooklayer/node'
import { createMemoryStore } from 'hooklayer/stores/memory'
import Koa from 'koa'
import { describe, expect, it } from 'vitest'
import type { Listening } from '../../contracts/adapter/host.ts'
import { EVENTS, type MakeEvent } from '../../contracts/adapter/lambda-events.ts'
import { startLambda } from '../../contracts/adapter/lambda-front.ts'
import { listen, listeningOn } from '../../contracts/adapter/listen.ts'
import { recordingLogger } from '../../deliveries.ts'
import { listFindings, probeEndpoint } from './probe-endpoint.ts'

const SECRET = '0123456789abcdef0123456789abcdef'

/** Each sends 50 deliveries at once, and all share one process. */
const few = bulkhead(3, 100)

type Start = (receiver: Receiver) => Promise<Listening>

const HOSTS: Readonly<Record<string, Start>> = {
  'node:http': (receiver) => listen(createNodeListener(receiver), '/webhooks'),
  Express: (receiver) => {
    const app = express()
    app.use('/webhooks', createExpressMiddleware(receiver))
    app.use(express.json())
    return listen(app, '/webhooks')
  },
  Koa: (receiver) => listen(new Koa().use(createKoaMiddleware(receiver)).callback(), '/webhooks'),
  async Fastify(receiver) {
    const app = Fastify()
    await app.register(createFastifyPlugin(receiver), { prefix: '/webhooks' })
    await app.listen({ port: 0, host: '127.0.0.1' })
    return listeningOn(app.server, '/webhooks')
  },
  Hono: (receiver) => {
    const app = new Hono()
    const handle = createFetchHandler(receiver)
    app.all('/webhooks', (context) => handle(context.req.raw))
    return listen(getRequestListener(app.fetch), '/webhooks')
  },
}

/** A gateway waits for the whole body by itself, and this one for ever. */
const LAMBDA: Readonly<Record<string, Start>> = Object.fromEntries(
  ['API Gateway, REST (1.0)', 'a function URL'].map((kind): [string, Start] => [
    `Lambda behind ${kind}`,
    (receiver) => startLambda(EVENTS[kind] as MakeEvent, createLambdaHandler(receiver)),
  ]),
)

describe.concurrent('a receiver of ours has nothing wrong', { timeout: 120_000 }, () => {
  it.each(Object.entries({ ...HOSTS, ...LAMBDA }))('on %s', async (host, start) => {
    const { logger } = recordingLogger()
    const secrets = { 'orders.place': SECRET, 'orders.create': 'fedcba9876543210fedcba9876543210' }
    const idempotency = { store: createMemoryStore() }
    const receiver = createReceiver({ secrets, idempotency, logger })
    const modes = new Set<string | undefined>()
    receiver.on('*', ({ mode }) => void modes.add(mode))
    const { url, close } = await start(receiver)
    try {
      const { wrong, notes } = listFindings(await few.execute(() => probeEndpoint(url, { secret: SECRET })))
      expect({ wrong, notes }).toEqual({ wrong: [], notes: host in LAMBDA ? ['stalled'] : [] })
      expect([...modes]).toEqual(['test'])
    } finally {
      await close()
    }
  })

  it('with topics of each kind', async () => {
    const topics = ['customers.create', 'orders.destroy', 'galaxies.explode']
    const receiver = createReceiver({
      secrets: Object.fromEntries(topics.map((topic) => [topic, SECRET])),
      idempotency: { store: createMemoryStore() },
      logger: recordingLogger().logger,
    })
    const handled = new Set<string>()
    receiver.on('*', ({ topic }) => void handled.add(topic))
    const { url, close } = await listen(createNodeListener(receiver), '/webhooks')
    try {
      for (const topic of topics) {
        expect(listFindings(await probeEndpoint(url, { secret: SECRET, topic })), topic).toEqual({
          wrong: [],
          notes: [],
        })
      }
      expect([...handled].sort()).toEqual([...topics].sort())
    } finally {
      await close()
    }
  })
})

it('a receiver without a store is told that it handles copies', { timeout: 60_000 }, async () => {
  const receiver = createReceiver({ secrets: { 'orders.place': SECRET }, logger: recordingLogger().logger })
  receiver.on('orders.place', () => {})
  const { url, close } = await listen(createNodeListener(receiver), '/webhooks')
  const found = await probeEndpoint(url, { secret: SECRET })
  await close()
  expect(listFindings(found)).toEqual({ wrong: [], notes: ['repeated'] })
})

it('a receiver with one secret for all topics is told so', { timeout: 60_000 }, async () => {
  const receiver = createReceiver({ secrets: SECRET, logger: recordingLogger().logger })
  const { url, close } = await listen(createNodeListener(receiver), '/webhooks')
  const found = await probeEndpoint(url, { secret: SECRET })
  await close()
  expect(listFindings(found).wrong).toEqual(['other topic'])
})

it('no signed delivery is sent to a receiver where only forged ones may be', { timeout: 60_000 }, async () => {
  const receiver = createReceiver({ secrets: SECRET, logger: recordingLogger().logger })
  const handled: string[] = []
  receiver.on('*', ({ topic }) => void handled.push(topic))
  const { url, close } = await listen(createNodeListener(receiver), '/webhooks')
  const found = await probeEndpoint(url, { secret: SECRET, genuine: false })
  await close()
  expect(found.every(({ kind }) => kind === 'forged')).toBe(true)
  expect(handled).toEqual([])
})
