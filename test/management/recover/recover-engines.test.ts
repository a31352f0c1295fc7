import { setTimeout as sleep } from 'node:timers/promises'
import { createReceiver, createWorker, type ReceiverOptions } from 'hooklayer'
import { secretsFrom } from 'hooklayer/management'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { recordingLogger } from '../../deliveries.ts'
import { endpoint, stage } from '../harness.ts'
import { INBOXES, STORES, startServers } from './engines.ts'

startServers()

const since = new Date(Date.now() - 60_000)
const IDS = ['customerAA', 'customerBB', 'customerCC', 'customerDD']

/** A shop of several processes, whose handlers are the same. */
async function openShop() {
  const { emulator, api } = await stage({ retries: 0 })
  const { url, serve } = await endpoint()
  const { logger } = recordingLogger()
  const shop = {
    isBroken: false,
    handlerMs: 0,
    begun: [] as string[],
    handled: [] as string[],
  }
  await api.webhooks.create({ topic: 'customers.create', callbackUrl: url })
  return {
    emulator,
    api,
    serve,
    shop,
    process(options: Partial<ReceiverOptions>) {
      const receiver = createReceiver({ secrets: secretsFrom(api, { callbackUrl: url }), logger, ...options })
      return receiver.on('customers.create', async ({ resource: { id } }) => {
        shop.begun.push(id)
        await sleep(shop.handlerMs)
        if (shop.isBroken) throw new Error('broken')
        shop.handled.push(id)
      })
    },
    /** Resolves with how each of them was answered. */
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

describe.each(STORES)('what a receiver has missed that has a store in %s', (_, missing, open) => {
  it.skipIf(missing)('is handled once, though it is recovered twice and then delivered again', async () => {
    const { emulator, api, serve, shop, process, send, sendAgain } = await openShop()
    const connect = await open()
    serve(process({ idempotency: { store: connect() } }))
    shop.isBroken = true
    expect(new Set(await send())).toEqual(new Set(['500']))
    shop.isBroken = false
    const first = await api.recover(process({ idempotency: { store: connect() } }), { since })
    expect(first).toMatchObject({ recovered: IDS.length, alreadyDelivered: 0, failed: 0 })
    const second = await api.recover(process({ idempotency: { store: connect() } }), { since })
    expect(second).toMatchObject({ recovered: 0, alreadyDelivered: IDS.length, failed: 0 })
    await sendAgain()
    expect(emulator.eventCallbacks.slice(-IDS.length).map(({ response_code }) => response_code)).toEqual(
      IDS.map(() => '200'),
    )
    expect(shop.handled).toEqual(IDS)
  })

  it.skipIf(missing)('is handled once, though it is recovered by two at the same time', async () => {
    const { api, serve, shop, process, send } = await openShop()
    const connect = await open()
    serve(process({ idempotency: { store: connect() } }))
    shop.isBroken = true
    await send()
    Object.assign(shop, { isBroken: false, handlerMs: 20 })
    const recover = () => api.recover(process({ idempotency: { store: connect() } }), { since })
    const both = await Promise.all([recover(), recover()])
    expect(both.reduce((sum, { recovered }) => sum + recovered, 0)).toBe(IDS.length)
    expect(shop.handled.sort()).toEqual(IDS)
  })
})

describe.each(INBOXES)('what a receiver has missed that has an inbox in %s', (_, missing, open) => {
  it.skipIf(missing)('is handled here and now if the inbox had refused it, and the inbox left alone', async () => {
    const { api, serve, shop, process, send } = await openShop()
    const inbox = open({ maxQueued: 1 })
    onTestFinished(() => inbox.close())
    const receiver = process({ inbox })
    serve(receiver)
    expect(await send()).toEqual(['202', '503', '503', '503'])
    expect(await api.recover(receiver, { since })).toMatchObject({ recovered: 3, alreadyDelivered: 0, failed: 0 })
    expect(shop.handled).toEqual(IDS.slice(1))
    expect(await inbox.statistics()).toMatchObject({ queued: 1, dead: 0 })
  })

  it.skipIf(missing)(
    'is handled once if it was stored all the same, while a worker is at it, and there is a store',
    async () => {
      const { api, serve, shop, process, send } = await openShop()
      const inbox = open()
      onTestFinished(() => inbox.close())
      const idempotency = { store: createMemoryStore() }
      const receiver = process({ inbox, idempotency })
      serve({ ...receiver, receive: (...request) => receiver.receive(...request).then(lost) })
      expect(new Set(await send())).toEqual(new Set(['502']))
      shop.handlerMs = 100
      const errors: (string | undefined)[] = []
      const recovering = api.recover(process({ idempotency }), { since, onResult: ({ error }) => errors.push(error) })
      await vi.waitFor(() => expect(shop.begun).toHaveLength(1), { interval: 5 })
      const { logger } = recordingLogger()
      const worker = createWorker({ receiver, inbox, concurrency: 1, attempts: 1, backoffMs: 50, logger })
      onTestFinished(() => worker.stop({ timeoutMs: 0 }))
      await recovering
      for (const error of errors) expect(error ?? 'IN_PROGRESS').toMatch(/^IN_PROGRESS/)
      await vi.waitFor(
        async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, failed: 0, dead: 0 }),
        { timeout: 10_000 },
      )
      expect(shop.handled.sort()).toEqual(IDS)
      const again = await api.recover(process({ idempotency }), { since })
      expect(again).toMatchObject({ recovered: 0, alreadyDelivered: IDS.length, failed: 0 })
    },
  )
})

/** As by a proxy that has lost the connection to the receiver. */
function lost() {
  return { status: 502, headers: {}, body: '' }
}
