import { type ReceiverOptions, TOPICS } from 'hooklayer'
import type { IdempotencyStore, StoredDelivery } from 'hooklayer/drivers'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { describe, expect, it, vi } from 'vitest'
import { CART, delivery, nested, OTHER_SECRET, order, recordingLogger, SECRET } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'
import { waitFor } from '../wait-for.ts'

const madeUp = Array.from({ length: 50 }, (_, i) => `orders.a${i}`)

const byResource: Record<string, string> = { orders: SECRET, customers: OTHER_SECRET }

/** Secrets that several topics share, made-up ones among them. */
const SHARED: [string, ReceiverOptions['secrets']][] = [
  ['one secret', SECRET],
  ['a list', [OTHER_SECRET, SECRET]],
  ['a function', () => SECRET],
  ['an asynchronous function', async () => SECRET],
  ['a function of the resource', (topic) => byResource[topic.split('.')[0] ?? '']],
  ['a function of the event', (topic) => (topic.endsWith('.place') ? OTHER_SECRET : SECRET)],
  ['a function with labels', () => ({ secret: SECRET, organizationId: 'wRPpEFOElR' })],
]

function fail(): never {
  throw new Error('vault')
}

describe.each(await inBothRuntimes(() => import('hooklayer')))(
  'a captured body under made-up topics, on %s,',
  (_, hooklayer) => {
    it.each(SHARED)('is not handled more than once with a store: %s', async (_, secrets) => {
      const handler = vi.fn()
      const receiver = hooklayer.createReceiver({
        secrets,
        logger: recordingLogger().logger,
        idempotency: { store: createMemoryStore() },
      })
      receiver.on('orders.*', handler)
      for (const topic of madeUp) expect((await receiver.receive(delivery(topic, CART))).status).toBe(200)
      expect(handler).toHaveBeenCalledTimes(1)
      const [event] = handler.mock.calls[0] ?? []
      expect(event).toMatchObject({ topic: 'orders.a0' })
    })

    it.each(SHARED)('is not stored more than once in an inbox: %s', async (_, secrets) => {
      const inbox = createMemoryInbox()
      const receiver = hooklayer.createReceiver({ secrets, logger: recordingLogger().logger, inbox })
      for (const topic of madeUp) {
        const { status } = await receiver.receive(delivery(topic, CART))
        expect([200, 202]).toContain(status)
      }
      expect((await inbox.statistics()).queued).toBe(1)
    })

    it('is not handled again when a worker has handled it, or when it is redelivered', async () => {
      const handler = vi.fn()
      for (const secrets of [SECRET, async () => SECRET]) {
        handler.mockClear()
        const receiver = hooklayer.createReceiver({
          secrets,
          logger: recordingLogger().logger,
          idempotency: { store: createMemoryStore() },
        })
        receiver.on('*', handler)
        await receiver.handleStored({
          topic: 'orders.a0',
          body: delivery('orders.a0', CART).body,
          receivedAt: new Date(),
        })
        await receiver.receive(delivery('orders.a1', CART))
        expect(await receiver.redeliver('orders.a2', CART)).toBe('duplicate')
        expect(handler).toHaveBeenCalledTimes(1)
      }
    })

    it('is known by its bytes if it has no canonical form', async () => {
      const handler = vi.fn()
      const receiver = hooklayer.createReceiver({
        secrets: SECRET,
        logger: recordingLogger().logger,
        idempotency: { store: createMemoryStore() },
      })
      receiver.on('*', handler)
      for (const topic of madeUp) await receiver.receive(delivery(topic, nested(600)))
      expect(handler).toHaveBeenCalledTimes(1)
    })

    it('keeps its own key with a `key` of the shop', async () => {
      const keys: string[] = []
      const receiver = hooklayer.createReceiver({
        secrets: SECRET,
        logger: recordingLogger().logger,
        idempotency: {
          store: recordingStore(keys),
          key: ({ resource }) => String((resource as { number: string }).number),
        },
      })
      receiver.on('orders.*', () => {})
      for (const topic of ['orders.place', 'orders.a0', 'orders.a1']) await receiver.receive(delivery(topic, CART))
      expect(keys.filter((key) => key.includes(' '))).toEqual(['orders.place 2001', '* 2001', '* 2001'])
    })
  },
)

function recordingStore(keys: string[]): IdempotencyStore {
  const store = createMemoryStore()
  return {
    ...store,
    reserve(key, options) {
      keys.push(key)
      return store.reserve(key, options)
    },
  }
}

const { createReceiver } = await import('hooklayer')

function receiverWith(options: Partial<ReceiverOptions>) {
  const { logger, lines } = recordingLogger()
  return { receiver: createReceiver({ secrets: SECRET, logger, ...options }), lines }
}

describe('a topic that nobody has made up', () => {
  const NAMED: [string, ReceiverOptions['secrets'], string[]][] = [
    ['in the catalogue', SECRET, ['orders.place', 'orders.approve']],
    ['the topic of a handler', SECRET, ['orders.new_one', 'orders.new_two']],
    ['one of a map', { 'orders.third': SECRET, 'orders.fourth': SECRET }, ['orders.third', 'orders.fourth']],
    [
      'one of a function that knows its topics',
      (topic) => ({ 'orders.third': SECRET, 'orders.fourth': OTHER_SECRET })[topic],
      ['orders.third', 'orders.fourth'],
    ],
  ]

  it.each(NAMED)('still tells events and deliveries apart: %s', async (_, secrets, topics) => {
    const handled: string[] = []
    const stored: StoredDelivery[] = []
    const { receiver } = receiverWith({ secrets, idempotency: { store: createMemoryStore() } })
    receiver.on('*', ({ topic }) => void handled.push(topic)).on(['orders.new_one', 'orders.new_two'], () => {})
    const inbox = {
      put: async (one: StoredDelivery) => {
        stored.push(one)
        return 'stored' as const
      },
    }
    const { receiver: storing } = receiverWith({ secrets, inbox })
    storing.on(['orders.new_one', 'orders.new_two'], () => {})
    for (const topic of topics) {
      const request = delivery(
        topic,
        CART,
        topic === 'orders.fourth' && typeof secrets === 'function' ? OTHER_SECRET : SECRET,
      )
      expect((await receiver.receive(request)).status).toBe(200)
      expect((await storing.receive(request)).status).toBe(202)
    }
    expect(handled).toEqual(topics)
    expect(new Set(stored.map(({ id }) => id)).size).toBe(topics.length)
  })

  it('is received although no catalogue has it and only a pattern handles it', async () => {
    const handler = vi.fn()
    const { receiver } = receiverWith({ idempotency: { store: createMemoryStore() } })
    receiver.on('*', handler)
    for (const number of ['1', '2']) {
      const request = delivery('galaxies.explode', { data: order({ type: 'galaxies', attributes: { number } }) })
      expect((await receiver.receive(request)).status).toBe(200)
    }
    expect(handler).toHaveBeenCalledTimes(2)
  })
})

describe('made-up topics', () => {
  it('do not make 500 events of one body, which would flush a memory store of 500', async () => {
    const handler = vi.fn()
    const { receiver } = receiverWith({
      secrets: () => SECRET,
      idempotency: { store: createMemoryStore({ maxEntries: 500 }) },
    })
    receiver.on('orders.*', handler)
    await receiver.receive(delivery('orders.place', CART))
    for (let i = 0; i <= 500; i += 1) await receiver.receive(delivery(`orders.a${i}`, CART))
    const { body } = await receiver.receive(delivery('orders.place', CART))
    expect(JSON.parse(body)).toEqual({ outcome: 'duplicate' })
    expect(handler).toHaveBeenCalledTimes(2)
  })

  it('do not hide the mismatch of a topic that there is', async () => {
    const { receiver, lines } = receiverWith({ secrets: () => SECRET })
    receiver.on('*', () => {})
    for (const topic of madeUp) await receiver.receive(delivery(topic, CART, OTHER_SECRET))
    await receiver.receive(delivery('orders.place', CART, OTHER_SECRET))
    await waitFor(() =>
      expect(lines.map(({ message }) => message)).toContainEqual(expect.stringMatching(/^orders\.place: 401/)),
    )
  })

  it('do not make a receiver forget how often a topic has failed', async () => {
    const { receiver, lines } = receiverWith({})
    receiver.on('orders.*', () => fail())
    for (let i = 0; i < 9; i += 1) await receiver.receive(delivery('orders.place', CART))
    for (let i = 0; i < 1001; i += 1) await receiver.receive(delivery(`orders.a${i}`, CART))
    await receiver.receive(delivery('orders.place', CART))
    expect(lines.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/orders\.place: 10 failures in a row/),
    )
  })
})

describe('a function that answers one secret for several topics', () => {
  it('is known as one after the second topic, if it fails for topics that it was not asked for before', async () => {
    const handler = vi.fn()
    const secrets = (topic: string) => (topic.startsWith('orders.a') ? SECRET : fail())
    const { receiver } = receiverWith({ secrets, idempotency: { store: createMemoryStore() } })
    receiver.on('orders.*', handler)
    for (const topic of madeUp) await receiver.receive(delivery(topic, CART))
    expect(handler).toHaveBeenCalledTimes(2)
  })

  it('is not used without a warning', async () => {
    for (const secrets of [() => SECRET, async () => [OTHER_SECRET, SECRET]]) {
      const { receiver, lines } = receiverWith({ secrets })
      receiver.on('*', () => {})
      for (const topic of ['orders.place', 'orders.place', 'orders.approve', 'orders.pay']) {
        await receiver.receive(delivery(topic, CART))
      }
      const warnings = lines.filter(({ level }) => level === 'warn')
      expect(warnings.map(({ message }) => message)).toEqual([
        expect.stringMatching(/several topics share one secret/i),
      ])
    }
  })

  it('is not suspected if it answers one for each topic', async () => {
    const secretOf = (topic: string) => `the secret of ${topic}`
    const { receiver, lines } = receiverWith({ secrets: secretOf })
    receiver.on('*', () => {})
    for (const event of TOPICS.orders) {
      const topic = `orders.${event}`
      await receiver.receive(delivery(topic, CART, secretOf(topic)))
      await receiver.receive(delivery(`orders.a_${event}`, CART, secretOf(`orders.a_${event}`)))
    }
    expect(lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
  })
})
