import { setTimeout as sleep } from 'node:timers/promises'
import { createReceiver, createWorker, type ReceiverOptions } from 'hooklayer'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { describe, expect, onTestFinished, vi } from 'vitest'
import { recordingLogger } from '../../deliveries.ts'
import { itUnless } from '../../unless.ts'
import { waitFor } from '../../wait-for.ts'
import { startCommerceLayer, startEndpoint } from '../harness.ts'
import { INBOXES, STORES, startServers } from './engines.ts'

startServers()

const since = new Date(Date.now() - 60_000)
const IDS = ['customerAA', 'customerBB', 'customerCC', 'customerDD']

/** A shop of several processes that have the same handlers. */
async function openShop() {
  const { emulator, api } = await startCommerceLayer({ retries: 0 })
  const { url, serve } = await startEndpoint()
  const { logger } = recordingLogger()
  const shop = {
    isBroken: false,
    handlerMs: 0,
    started: [] as string[],
    handled: [] as string[],
  }
  await api.webhooks.create({ topic: 'customers.create', callbackUrl: url })
  return {
    emulator,
    api,
    serve,
    shop,
    createProcess(options: Partial<ReceiverOptions>) {
      const receiver = createReceiver({ secrets: api.secrets({ callbackUrl: url }), logger, ...options })
      return receiver.on('customers.create', async ({ resource: { id } }) => {
        shop.started.push(id)
        await sleep(shop.handlerMs)
        if (shop.isBroken) throw new Error('broken')
        shop.handled.push(id)
      })
    },
    /** Sends the events, and resolves to the status of each answer. */
    async send() {
      const answers = []
      for (const id of IDS) answers.push(...(await emulator.trigger('customers.create', { id })))
      return answers.map(({ response_code }) => response_code)
    },
    async sendAgain() {
      for await (const { id } of api.events.list({ name: 'customers.create' })) await api.events.trigger(id)
      await emulator.settled()
    },
  }
}

describe.each(STORES)('an event that failed at a receiver with a store in %s', (_, missing, open) => {
  itUnless(missing)('is handled once, although it is recovered twice and then delivered again', async () => {
    const { emulator, api, serve, shop, createProcess, send, sendAgain } = await openShop()
    const connect = await open()
    serve(createProcess({ idempotency: { store: connect() } }))
    shop.isBroken = true
    expect(new Set(await send())).toEqual(new Set(['500']))
    shop.isBroken = false
    const first = await api.recover(createProcess({ idempotency: { store: connect() } }), { since })
    expect(first).toMatchObject({ recovered: IDS.length, alreadyDelivered: 0, failed: 0 })
    const second = await api.recover(createProcess({ idempotency: { store: connect() } }), { since })
    expect(second).toMatchObject({ recovered: 0, alreadyDelivered: IDS.length, failed: 0 })
    await sendAgain()
    expect(emulator.eventCallbacks.slice(-IDS.length).map(({ response_code }) => response_code)).toEqual(
      IDS.map(() => '200'),
    )
    expect(shop.handled).toEqual(IDS)
  })

  itUnless(missing)('is handled once, although two processes recover it at the same time', async () => {
    const { api, serve, shop, createProcess, send } = await openShop()
    const connect = await open()
    serve(createProcess({ idempotency: { store: connect() } }))
    shop.isBroken = true
    await send()
    Object.assign(shop, { isBroken: false, handlerMs: 20 })
    const recover = () => api.recover(createProcess({ idempotency: { store: connect() } }), { since })
    const both = await Promise.all([recover(), recover()])
    expect(both.reduce((sum, { recovered }) => sum + recovered, 0)).toBe(IDS.length)
    expect(shop.handled.sort()).toEqual(IDS)
  })
})

describe.each(INBOXES)('an event that failed at a receiver with an inbox in %s', (_, missing, open) => {
  itUnless(missing)('is handled without the inbox if the inbox had refused it', async () => {
    const { api, serve, shop, createProcess, send } = await openShop()
    const inbox = open({ maxQueued: 1 })
    onTestFinished(() => inbox.close())
    const receiver = createProcess({ inbox })
    serve(receiver)
    expect(await send()).toEqual(['202', '503', '503', '503'])
    expect(await api.recover(receiver, { since })).toMatchObject({ recovered: 3, alreadyDelivered: 0, failed: 0 })
    expect(shop.handled).toEqual(IDS.slice(1))
    expect(await inbox.statistics()).toMatchObject({ queued: 1, dead: 0 })
  })

  itUnless(missing)(
    'is handled once if the inbox has stored it and a worker is handling it, with an idempotency store',
    async () => {
      const { api, serve, shop, createProcess, send } = await openShop()
      const inbox = open()
      onTestFinished(() => inbox.close())
      const idempotency = { store: createMemoryStore() }
      const receiver = createProcess({ inbox, idempotency })
      serve({ ...receiver, receive: (...request) => receiver.receive(...request).then(answerOfProxy) })
      expect(new Set(await send())).toEqual(new Set(['502']))
      shop.handlerMs = 100
      const errors: (string | undefined)[] = []
      const recovery = api.recover(createProcess({ idempotency }), {
        since,
        onResult: ({ error }) => errors.push(error),
      })
      await waitFor(() => expect(shop.started).toHaveLength(1), { interval: 5 })
      const { logger } = recordingLogger()
      const worker = createWorker({ receiver, inbox, concurrency: 1, attempts: 1, backoffMs: 50, logger })
      onTestFinished(() => worker.stop({ timeoutMs: 0 }))
      await recovery
      for (const error of errors) expect(error ?? 'IN_PROGRESS').toMatch(/^IN_PROGRESS/)
      await vi.waitFor(
        async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, failed: 0, dead: 0 }),
        { timeout: 10_000 },
      )
      expect(shop.handled.sort()).toEqual(IDS)
      const again = await api.recover(createProcess({ idempotency }), { since })
      expect(again).toMatchObject({ recovered: 0, alreadyDelivered: IDS.length, failed: 0 })
    },
  )
})

/** The answer of a proxy that has lost its connection to the receiver. */
function answerOfProxy() {
  return { status: 502, headers: {}, body: '' }
}
