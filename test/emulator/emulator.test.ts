import { createServer } from 'node:http'
import type { Order } from '@commercelayer/sdk'
import { createReceiver, eventIdOf } from 'hooklayer'
import { createEmulator, type EmulatedCall, type EmulatorOptions } from 'hooklayer/emulator'
import { createNodeListener } from 'hooklayer/node'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { sampleOf, sign } from 'hooklayer/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../contracts/adapter/listen.ts'
import { GONE, startEmulatorForTest, startEndpoint } from './harness.ts'

describe('an emulator', () => {
  it('has a default slug and random credentials, unless they are given', async () => {
    const { emulator } = await startEmulatorForTest()
    expect(emulator.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(emulator.organization).toBe('my-org')
    expect(emulator.clientId).toMatch(/^[\w-]{43}$/)
    expect(emulator.clientSecret).toMatch(/^[\w-]{43}$/)
    expect(emulator.clientSecret).not.toBe(emulator.clientId)
    const given = { organization: 'acme', clientId: 'id', clientSecret: 'secret' }
    expect((await startEmulatorForTest(given)).emulator).toMatchObject(given)
  })

  it('listens on the given port, and rejects if it is in use', async () => {
    const { emulator } = await startEmulatorForTest()
    const port = Number(new URL(emulator.url).port)
    await expect(createEmulator({ port })).rejects.toThrow(`Port ${port} of 127.0.0.1 is in use.`)
    await emulator.close()
    const next = await createEmulator({ port })
    expect(next.url).toBe(emulator.url)
    await next.close()
  })

  it('can be closed twice, with an open connection and pending retries', async () => {
    const { emulator, subscribe } = await startEmulatorForTest({ retryDelayMs: () => 3_600_000 })
    await subscribe({ topic: 'orders.place', callback_url: GONE })
    await emulator.trigger('orders.place')
    await Promise.all([emulator.close(), emulator.close()])
    await expect(fetch(emulator.url)).rejects.toThrow()
    await emulator.settled()
  })

  it('creates webhooks with the usual includes, and refuses what the API refuses', async () => {
    const { emulator } = await startEmulatorForTest()
    const url = 'http://127.0.0.1:3000/webhooks'
    expect(emulator.subscribe('customers.create', url)).toMatchObject({
      topic: 'customers.create',
      callback_url: url,
      include_resources: ['customer_addresses.address', 'customer_group'],
      shared_secret: expect.stringMatching(/^[0-9a-f]{32}$/),
    })
    const secret = '0123456789abcdef'
    const own = emulator.subscribe('orders.pay', url, { includeResources: ['customer'], secret })
    expect(own).toMatchObject({ include_resources: ['customer'], shared_secret: secret })
    expect(emulator.webhooks).toHaveLength(2)
    expect(() => emulator.subscribe('orders.eat', url)).toThrow(
      new TypeError('subscribe: topic - is not included in the list'),
    )
    expect(() => emulator.subscribe('orders.place', 'nowhere')).toThrow('callback_url - is invalid')
    expect(() => emulator.subscribe('orders.place', url, { secret: 'short' })).toThrow(
      'must have 16 characters or more',
    )
    expect(() => emulator.subscribe('orders.place', url, { includeResources: ['custmer'] })).toThrow(
      'include_resources',
    )
  })

  it('tells `onCall` of each call what was sent and answered, retries too, and goes on when that throws', async () => {
    const calls: EmulatedCall[] = []
    const warnings: string[] = []
    const { url, close } = await listen((request, response) => {
      request.resume()
      response.writeHead(calls.length === 0 ? 500 : 200).end('x'.repeat(5000))
    }, '/')
    onTestFinished(close)
    const { emulator } = await startEmulatorForTest({
      retryDelayMs: () => 0,
      logger: { warn: (message) => warnings.push(message) },
      onCall(call) {
        calls.push(call)
        throw new Error('broken')
      },
    })
    const { shared_secret } = emulator.subscribe('orders.place', url)
    await emulator.trigger('orders.place')
    await emulator.settled()
    expect(calls.map(({ eventCallback }) => eventCallback.response_code)).toEqual(['500', '200'])
    const [call] = calls
    expect(call).toMatchObject({ topic: 'orders.place', answer: 'x'.repeat(2000), durationMs: expect.any(Number) })
    expect(call?.signature).toBe(await sign(Uint8Array.from(call?.body ?? []), shared_secret))
    expect(warnings).toEqual(['`onCall` failed: broken', '`onCall` failed: broken'])
  })

  it('repeats the last event with the same bytes, and takes other faults while it runs', async () => {
    const calls: EmulatedCall[] = []
    const { url, close } = await startEndpoint()
    onTestFinished(close)
    const { emulator } = await startEmulatorForTest({ onCall: (call) => calls.push(call) })
    expect(await emulator.repeat()).toEqual([])
    emulator.subscribe('orders.place', `${url}/200`)
    await emulator.trigger('orders.place')
    expect(await emulator.repeat()).toHaveLength(1)
    expect(calls[1]?.body).toEqual(calls[0]?.body)
    emulator.setFaults({ duplicate: 1 })
    await emulator.trigger('orders.place')
    await emulator.settled()
    expect(calls.map(({ eventCallback }) => eventCallback.metadata.fault)).toContain('duplicate')
    expect(calls).toHaveLength(4)
    emulator.setFaults({})
    await emulator.repeat()
    await emulator.settled()
    expect(calls).toHaveLength(5)
    expect(() => emulator.setFaults({ duplicate: 2 })).toThrow('`duplicate` must be a probability from 0 to 1')
  })

  it('sends a document that it is given, as it is and signed anew, and repeats it', async () => {
    const calls: EmulatedCall[] = []
    const { url, close } = await startEndpoint()
    onTestFinished(close)
    const { emulator } = await startEmulatorForTest({ onCall: (call) => calls.push(call), logger: { warn() {} } })
    const { shared_secret } = emulator.subscribe('orders.place', `${url}/200`)
    const bytes = new TextEncoder().encode(
      '{ "data": { "type": "orders",\n"id": "Ł",\t"attributes": {"number": 1e3} } }',
    )
    expect(await emulator.send('orders.place', bytes)).toMatchObject([{ response_code: '200' }])
    expect(await emulator.repeat()).toHaveLength(1)
    expect(calls.map(({ body }) => body)).toEqual([bytes, bytes])
    expect(calls[0]?.signature).toBe(await sign(bytes, shared_secret))
    expect(emulator.eventCallbacks[0]?.payload).toMatchObject({ data: { id: 'Ł', attributes: { number: 1000 } } })
    const document = { data: { type: 'orders', id: 'A', attributes: { number: '2' } } }
    await emulator.send('orders.place', document as never)
    expect(JSON.parse(new TextDecoder().decode(calls[2]?.body))).toEqual(document)
    expect(await emulator.send('orders.cancel', bytes)).toEqual([])
  })

  it.each([
    ['is not JSON', new TextEncoder().encode('{')],
    ['is a list', { data: [{ type: 'orders', id: 'A' }] }],
    ['has no id', { data: { type: 'orders' } }],
    ['is nothing', null],
    [
      'has too many levels',
      new TextEncoder().encode(`{"data":{"type":"a","id":"b","attributes":${'['.repeat(200)}${']'.repeat(200)}}}`),
    ],
  ])('refuses a document that %s, and records no event', async (_, document) => {
    const { emulator } = await startEmulatorForTest()
    emulator.subscribe('orders.place', GONE)
    await expect(emulator.send('orders.place', document as never)).rejects.toBeInstanceOf(TypeError)
    await expect(emulator.send('orders.eat', { data: { type: 'a', id: 'b' } } as never)).rejects.toThrow('not a topic')
    expect(await emulator.repeat()).toEqual([])
  })

  it('gives the sample of a topic with what its webhooks include, and sends nothing', async () => {
    const { emulator } = await startEmulatorForTest()
    emulator.subscribe('orders.place', GONE, { includeResources: ['market.merchant'] })
    const sample = emulator.sample('orders.place')
    expect(sample).toMatchObject({ type: 'orders', market: { type: 'markets', merchant: { type: 'merchants' } } })
    expect(emulator.eventCallbacks).toEqual([])
    expect(() => emulator.sample('orders.eat')).toThrow('`orders.eat` is not a topic of Commerce Layer.')
  })

  it('resets a circuit, and says when there is no such webhook', async () => {
    const { emulator } = await startEmulatorForTest({ retries: 29, retryDelayMs: () => 0 })
    const { id } = emulator.subscribe('orders.place', GONE)
    await emulator.trigger('orders.place')
    await emulator.settled()
    expect(emulator.webhooks).toMatchObject([{ circuit_state: 'open', circuit_failure_count: 30 }])
    emulator.resetCircuit(id)
    expect(emulator.webhooks[0]).toMatchObject({ circuit_state: 'closed', circuit_failure_count: 0 })
    expect(() => emulator.resetCircuit('nothing')).toThrow('there is no webhook and no holder')
  })

  it('takes faults for one trigger, which leave those of the others alone', async () => {
    const calls: EmulatedCall[] = []
    const { url, close } = await startEndpoint()
    onTestFinished(close)
    const { emulator } = await startEmulatorForTest({ onCall: (call) => calls.push(call) })
    emulator.subscribe('orders.place', `${url}/200`)
    await emulator.trigger('orders.place', {}, { faults: { wrongSignature: 1 } })
    await emulator.trigger('orders.place')
    const faults = { reorder: 1 }
    await Promise.all(['1', '2'].map((number) => emulator.trigger('orders.place', { number }, { faults })))
    await emulator.settled()
    expect(calls.map(({ eventCallback }) => eventCallback.metadata.fault)).toEqual(['wrongSignature', ...Array(4)])
    const sent = calls.slice(-2).map(({ eventCallback }) => eventCallback.payload.data)
    expect(sent).toMatchObject([{ attributes: { number: '2' } }, { attributes: { number: '1' } }])
    const wrong = emulator.trigger('orders.place', {}, { faults: { fire: 1 } as never })
    await expect(wrong).rejects.toThrow('has no option `fire`')
    expect(calls).toHaveLength(5)
  })

  it('triggers events for other programs that have a token', async () => {
    const { emulator, token } = await startEmulatorForTest({ logger: { warn() {} } })
    const { url, close } = await startEndpoint()
    onTestFinished(close)
    emulator.subscribe('orders.place', `${url}/404`)
    const trigger = async (body: unknown, authorization = `Bearer ${token}`) => {
      const answer = await fetch(`${emulator.url}/emulator/trigger`, {
        method: 'POST',
        headers: { authorization },
        body: JSON.stringify(body),
      })
      return { status: answer.status, body: await answer.json() }
    }
    const answered = await trigger({ topic: 'orders.place', resource: { number: '4711' } })
    expect(answered).toEqual({
      status: 200,
      body: {
        event_callbacks: [
          expect.objectContaining({ topic: 'orders.place', response_code: '404', callback_url: `${url}/404` }),
        ],
      },
    })
    expect(JSON.stringify(answered)).not.toContain(emulator.webhooks[0]?.shared_secret)
    expect(emulator.eventCallbacks[0]?.payload.data).toMatchObject({ attributes: { number: '4711' } })
    expect(await trigger({ topic: 'orders.place' }, 'Bearer x')).toMatchObject({ status: 401 })
    expect(await trigger({ topic: 'orders.eat' })).toMatchObject({ status: 400 })
    expect(await trigger({ resource: {} })).toMatchObject({ status: 400 })
    expect(await trigger({ topic: 'orders.pay' })).toEqual({ status: 200, body: { event_callbacks: [] } })
  })

  it.each<[string, object]>([
    ['`port`', { port: 70_000 }],
    ['`port`', { port: '4000' }],
    ['`port`', { port: Number.NaN }],
    ['`organization`', { organization: 'My Org' }],
    ['`organization`', { organization: '' }],
    ['`organizationId`', { organizationId: 7 }],
    ['`clientId`', { clientId: '' }],
    ['`clientSecret`', { clientSecret: null }],
    ['`mode`', { mode: 'production' }],
    ['`tokenLifetimeMs`', { tokenLifetimeMs: 0 }],
    ['`rateLimit`', { rateLimit: 'yes' }],
    ['`logger`', { logger: {} }],
    ['`maxEventCallbacks`', { maxEventCallbacks: 0 }],
    ['`timeoutMs`', { timeoutMs: -1 }],
    ['`retries`', { retries: 1.5 }],
    ['`retryDelayMs`', { retryDelayMs: 1000 }],
    ['`seed`', { seed: 'x' }],
    ['`speed`', { speed: 10 }],
    ['duplicate', { faults: { duplicate: 2 } }],
    ['options must be an object', [] as object],
  ])('refuses a wrong %s with a TypeError that names it: %o', async (name, options) => {
    const refusal = createEmulator(options as EmulatorOptions)
    await expect(refusal).rejects.toBeInstanceOf(TypeError)
    await expect(refusal).rejects.toThrow(name)
  })

  it('uses the defaults for options that are undefined', async () => {
    const { emulator } = await startEmulatorForTest({
      port: undefined,
      organization: undefined,
      retries: undefined,
      mode: undefined,
    })
    expect(emulator.organization).toBe('my-org')
  })
})

describe('trigger', () => {
  it('calls the webhooks of the topic, and resolves with their first calls', async () => {
    const { emulator, subscribe } = await startEmulatorForTest({ retries: 0 })
    const endpoint = await startEndpoint()
    await subscribe({ name: 'a', topic: 'orders.place', callback_url: `${endpoint.url}/200` })
    await subscribe({ name: 'b', topic: 'orders.place', callback_url: `${endpoint.url}/503` })
    await subscribe({ name: 'c', topic: 'orders.pay', callback_url: `${endpoint.url}/200` })
    const called = await emulator.trigger('orders.place')
    expect(called.map(({ response_code, webhook }) => [webhook.name, response_code])).toEqual([
      ['a', '200'],
      ['b', '503'],
    ])
    expect(emulator.eventCallbacks).toEqual(called)
    expect(await emulator.trigger('orders.void')).toEqual([])
    await endpoint.close()
  })

  it('does not send the same event again: each trigger is a new order at a new time', async () => {
    const handled: Order[] = []
    const { emulator, subscribe } = await startEmulatorForTest({ retries: 0 })
    const secrets: Record<string, string> = {}
    const receiver = createReceiver({
      secrets: (topic) => secrets[topic],
      idempotency: { store: createMemoryStore() },
    }).on('orders.place', ({ resource }) => handled.push(resource))
    const { url, close } = await listen(createNodeListener(receiver), '')
    onTestFinished(close)
    await subscribe({ topic: 'orders.place', callback_url: url, include_resources: ['customer', 'line_items.item'] })
    secrets['orders.place'] = String(emulator.webhooks[0]?.shared_secret)
    const since = new Date().toISOString()
    for (let count = 0; count < 3; count++) await emulator.trigger('orders.place')
    await emulator.trigger('orders.place', { number: '7', updated_at: '2026-08-01T09:30:00.000Z' })
    expect(handled).toHaveLength(4)
    for (const differs of [
      ({ id }: Order) => id,
      ({ number }: Order) => number,
      ({ token }: Order) => token,
      ({ updated_at }: Order) => updated_at,
      ({ line_items }: Order) => line_items?.[0]?.id,
    ]) {
      expect(new Set(handled.map(differs)).size).toBe(4)
    }
    for (const same of [
      ({ customer }: Order) => customer?.id,
      ({ line_items }: Order) => line_items?.[0]?.item?.id,
      ({ customer_email }: Order) => customer_email,
    ]) {
      expect(new Set(handled.map(same)).size).toBe(1)
    }
    const [first, , , told] = handled
    expect(String(first?.updated_at) >= since).toBe(true)
    expect([told?.number, told?.updated_at]).toEqual(['7', '2026-08-01T09:30:00.000Z'])
    expect(String(told?.placed_at) <= String(told?.updated_at)).toBe(true)
  })

  it('makes a new resource of every topic, and the same one again if a whole resource is given', async () => {
    const { emulator, subscribe } = await startEmulatorForTest({ retries: 0 })
    const topics = ['customers.create', 'promotions.create', 'shipments.ship', 'returns.request', 'orders.destroy']
    for (const topic of topics) {
      await subscribe({ topic, callback_url: GONE })
      const calls = [...(await emulator.trigger(topic)), ...(await emulator.trigger(topic))]
      const [one, other] = await Promise.all(calls.map(({ payload }) => eventIdOf(topic, payload)))
      expect(one).not.toBe(other)
    }
    const whole = { ...sampleOf('customers'), id: 'ZzZzZzZzZz' }
    const again = [await emulator.trigger('customers.create', whole), await emulator.trigger('customers.create', whole)]
    const ids = await Promise.all(again.flat().map(({ payload }) => eventIdOf('customers.create', payload)))
    expect(new Set(ids).size).toBe(1)
  })

  it('says why no webhook is called', async () => {
    const warnings: string[] = []
    const { emulator, subscribe, ask } = await startEmulatorForTest({
      retries: 29,
      retryDelayMs: () => 0,
      logger: { warn: (message) => warnings.push(message) },
    })
    await emulator.trigger('orders.place')
    const { id } = await subscribe({ topic: 'orders.place', callback_url: GONE })
    await emulator.trigger('orders.place')
    await emulator.settled()
    await emulator.trigger('orders.place')
    const data = { type: 'webhooks', id, attributes: { _disable: true } }
    await ask(`webhooks/${id}`, { method: 'PATCH', body: { data } })
    await emulator.trigger('orders.place')
    expect(warnings).toEqual([
      'orders.place: no webhook has this topic, so nothing was called.',
      'orders.place: the circuit of its webhook is open, so nothing was called. Reset it.',
      'orders.place: its webhook is disabled, so nothing was called. Enable it.',
    ])
  })

  it('applies changes to the sample of the topic', async () => {
    const { emulator, subscribe } = await startEmulatorForTest({ retries: 0 })
    await subscribe({ topic: 'orders.cancel', callback_url: GONE, include_resources: ['customer'] })
    const [called] = await emulator.trigger('orders.cancel', { number: '42', customer: { email: 'zoe@example.com' } })
    expect(called?.payload.data).toMatchObject({ attributes: { number: '42', status: 'cancelled' } })
    expect(called?.payload.included).toMatchObject([{ type: 'customers', attributes: { email: 'zoe@example.com' } }])
  })

  it('copies a whole resource when it is called', async () => {
    const { emulator, subscribe, ask } = await startEmulatorForTest({ retries: 0 })
    await subscribe({ topic: 'customers.create', callback_url: GONE })
    const customer = { ...sampleOf('customers'), id: 'ZzZzZzZzZz', email: 'first@example.com' }
    const triggered = emulator.trigger('customers.create', customer)
    customer.email = 'second@example.com'
    await triggered
    const id = (await ask('events')).body.data[0]?.id
    const data = { type: 'events', id, attributes: { _trigger: true } }
    await ask(`events/${id}`, { method: 'PATCH', body: { data } })
    await emulator.settled()
    expect(emulator.eventCallbacks).toHaveLength(2)
    for (const { payload } of emulator.eventCallbacks) {
      expect(payload.data).toMatchObject({ id: 'ZzZzZzZzZz', attributes: { email: 'first@example.com' } })
    }
  })

  it('adds all relationships that the webhooks include to the sample', async () => {
    const { emulator, subscribe } = await startEmulatorForTest({ retries: 0 })
    const include_resources = ['market.tax_calculator', 'line_items.line_item_options']
    await subscribe({ name: 'rich', topic: 'orders.place', callback_url: GONE, include_resources })
    await subscribe({ name: 'plain', topic: 'orders.place', callback_url: GONE })
    const [rich, plain] = await emulator.trigger('orders.place')
    const types = new Set(rich?.payload.included?.map(({ type }) => type))
    expect([...types].sort()).toEqual(['avalara_accounts', 'line_item_options', 'line_items', 'markets'])
    expect(plain?.payload).not.toHaveProperty('included')
  })

  it('sends only type and id of a destroyed resource', async () => {
    const { emulator, subscribe } = await startEmulatorForTest({ retries: 0 })
    await subscribe({ topic: 'orders.destroy', callback_url: GONE })
    const [called] = await emulator.trigger('orders.destroy', { id: 'GoneGoneGo' })
    expect(called?.payload.data).toMatchObject({ type: 'orders', id: 'GoneGoneGo' })
    expect(called?.payload.data).not.toHaveProperty('attributes')
  })

  it('accepts the topics of 2021', async () => {
    const { emulator, subscribe } = await startEmulatorForTest({ retries: 0 })
    await subscribe({ topic: 'shipments.create', callback_url: GONE })
    expect(await emulator.trigger('shipments.create')).toMatchObject([{ payload: { data: { type: 'shipments' } } }])
  })

  it.each(['orders.eat', 'orders', '', 'constructor.name', 'orders.place.pay'])(
    'refuses %j, which is not a topic',
    async (topic) => {
      const { emulator, ask } = await startEmulatorForTest()
      await expect(emulator.trigger(topic)).rejects.toThrow(TypeError)
      expect((await ask('events')).body.data).toEqual([])
    },
  )
})

describe('the records of an emulator', () => {
  it('are returned as copies', async () => {
    const { emulator, subscribe } = await startEmulatorForTest({ retries: 0 })
    await subscribe({ topic: 'orders.place', callback_url: GONE, metadata: { a: 1 } })
    const [webhook] = emulator.webhooks
    await emulator.trigger('orders.place')
    expect(webhook).toMatchObject({ circuit_failure_count: 0, metadata: { a: 1 } })
    expect(webhook?.shared_secret).toMatch(/^[0-9a-f]{32}$/)
    expect(emulator.webhooks[0]).toMatchObject({ circuit_failure_count: 1 })
    Object.assign(webhook?.metadata ?? {}, { a: 2 })
    expect(emulator.webhooks[0]?.metadata).toEqual({ a: 1 })
    expect(emulator.eventCallbacks[0]).not.toHaveProperty('event')
  })

  it('are bounded: the oldest event callbacks and events are dropped', async () => {
    const { emulator, subscribe, ask } = await startEmulatorForTest({ maxEventCallbacks: 3, retries: 0 })
    await subscribe({ topic: 'customers.create', callback_url: GONE })
    for (const id of ['A', 'B', 'C', 'D', 'E']) await emulator.trigger('customers.create', { id: id.repeat(10) })
    const ids = emulator.eventCallbacks.map(({ payload }) => payload.data && 'id' in payload.data && payload.data.id)
    expect(ids).toEqual(['CCCCCCCCCC', 'DDDDDDDDDD', 'EEEEEEEEEE'])
    expect((await ask('events')).body.meta).toEqual({ record_count: 3, page_count: 1 })
  })
})

it('`settled` waits for the retries', async () => {
  const { emulator, subscribe } = await startEmulatorForTest({ retries: 2, retryDelayMs: () => 5 })
  let calls = 0
  const server = createServer((request, response) => {
    calls += 1
    request.resume()
    response.writeHead(calls < 3 ? 500 : 200).end()
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  await subscribe({ topic: 'orders.place', callback_url: `http://127.0.0.1:${port}/` })
  await emulator.trigger('orders.place')
  await emulator.settled()
  expect(emulator.eventCallbacks.map(({ response_code }) => response_code)).toEqual(['500', '500', '200'])
  server.close()
})

it('a reset closes an open circuit, and the webhook is called again', async () => {
  const { emulator, subscribe, ask } = await startEmulatorForTest({ retries: 29, retryDelayMs: () => 0 })
  const { id } = await subscribe({ topic: 'orders.place', callback_url: GONE })
  await emulator.trigger('orders.place')
  await emulator.settled()
  expect(emulator.webhooks[0]).toMatchObject({ circuit_state: 'open', circuit_failure_count: 30 })
  expect(await emulator.trigger('orders.place')).toEqual([])
  const data = { type: 'webhooks', id, attributes: { _reset_circuit: true } }
  const { body } = await ask(`webhooks/${id}`, { method: 'PATCH', body: { data } })
  expect(body.data.attributes).toMatchObject({ circuit_state: 'closed', circuit_failure_count: 0 })
  expect(await emulator.trigger('orders.place')).toHaveLength(1)
})
