import { createReceiver } from 'hooklayer'
import { createNodeListener } from 'hooklayer/node'
import { createDelivery, sampleOf, TEST_SECRET } from 'hooklayer/testing'
import { describe, expect, it } from 'vitest'
import {
  closeAfterEach,
  createEndpoint,
  createEvent,
  createEvents,
  createSenderHarness,
  createWebhook,
  readBody,
  readDocument,
  startServer,
} from './harness.ts'

closeAfterEach()

const METADATA = { note: 'Łódź, 日本 🙂, R&D <b>\u2028' }

describe('a delivery', () => {
  it('is verified and handled by a receiver, with any characters', async () => {
    const received: unknown[] = []
    const receiver = createReceiver({ secrets: { 'orders.place': TEST_SECRET } })
    receiver.on('orders.place', ({ resource: order, mode }) => {
      received.push([order.metadata, order.total_amount_float, order.customer?.email, order.line_items, mode])
    })
    const url = await startServer(createNodeListener(receiver))
    const { sender, answers } = createSenderHarness([createWebhook(url, { include_resources: ['customer'] })])
    await sender.send(createEvent({ ...sampleOf('orders'), metadata: METADATA }))
    expect(answers()).toEqual([['200', 'OK']])
    expect(received).toEqual([[METADATA, 57, 'john@example.com', undefined, 'test']])
  })

  it('has the headers and bytes of `createDelivery`', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createSenderHarness([createWebhook(url, { include_resources: ['customer', 'line_items.item'] })])
    const resource = { ...sampleOf('orders'), metadata: METADATA }
    await sender.send(createEvent(resource))
    const expected = await createDelivery('orders.place', { resource, include: ['customer', 'line_items.item'] })
    const headers = Object.entries(expected.headers).map(([name, value]) => [name.toLowerCase(), value])
    const [arrival] = arrivals
    expect(arrival && readBody(arrival).toString()).toBe(new TextDecoder().decode(expected.body))
    expect(arrival?.headers).toEqual({
      ...Object.fromEntries(headers),
      host: new URL(url).host,
      connection: 'keep-alive',
    })
  })

  it('includes the resources of `include_resources`: `data` is null for none, and absent if not included', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createSenderHarness([createWebhook(url, { include_resources: ['customer', 'market', 'tags'] })])
    await sender.send(createEvent({ customer: { id: 'cUstomerId', type: 'customers' }, shipping_address: null }))
    const { data, included } = readDocument(arrivals[0] ?? expect.fail('Nothing arrived.'))
    expect(data.relationships.customer.data).toEqual({ type: 'customers', id: 'cUstomerId' })
    expect(data.relationships.market.data).toBeNull()
    expect(data.relationships.tags.data).toEqual([])
    expect(data.relationships.shipping_address).not.toHaveProperty('data')
    expect(included.map(({ type }: { type: string }) => type)).toEqual(['customers'])
  })

  it('of `*.destroy` carries only id and type', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createSenderHarness([
      createWebhook(url, { topic: 'orders.destroy', include_resources: ['customer'] }),
    ])
    await sender.send(createEvent(sampleOf('orders'), 'orders.destroy'))
    const { data, included } = readDocument(arrivals[0] ?? expect.fail('Nothing arrived.'))
    expect(Object.keys(data)).toEqual(['id', 'type', 'links', 'meta'])
    expect(included).toBeUndefined()
  })

  it('of `*.tagged` always includes the tags', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createSenderHarness([createWebhook(url, { topic: 'orders.tagged' })])
    await sender.send(createEvent({ tags: [{ id: 'tAgIdTagId', type: 'tags', name: 'vip' }] }, 'orders.tagged'))
    const { included } = readDocument(arrivals[0] ?? expect.fail('Nothing arrived.'))
    expect(included.map(({ attributes }: { attributes: object }) => attributes)).toEqual([{ name: 'vip' }])
  })

  it('names its mode and organization', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createSenderHarness([createWebhook(url)], { mode: 'live', organizationId: 'wRPpEFOElR' })
    await sender.send(createEvent())
    const { data } = readDocument(arrivals[0] ?? expect.fail('Nothing arrived.'))
    expect(data.meta).toEqual({ mode: 'live', organization_id: 'wRPpEFOElR' })
  })
})

describe('an event', () => {
  it('is sent to all webhooks of its topic at the same time, each with its own secret and includes', async () => {
    const waiting: (() => void)[] = []
    const { url, arrivals } = await createEndpoint((response) => {
      waiting.push(() => response.end())
      if (waiting.length === 3) for (const end of waiting) end()
    })
    const { sender } = createSenderHarness([
      createWebhook(`${url}one`, { id: 'oneoneoneo' }),
      createWebhook(`${url}two`, { id: 'twotwotwot', shared_secret: 'fedcba9876543210fedcba9876543210' }),
      createWebhook(`${url}six`, { id: 'sixsixsixs', include_resources: ['customer'] }),
    ])
    const callbacks = await sender.send(createEvent())
    expect(callbacks.map(({ webhook }) => webhook.id)).toEqual(['oneoneoneo', 'twotwotwot', 'sixsixsixs'])
    expect(new Set(arrivals.map(({ signature }) => signature)).size).toBe(3)
    expect(new Set(arrivals.map((arrival) => readBody(arrival).toString())).size).toBe(2)
    expect(callbacks[0]?.payload).toBe(callbacks[1]?.payload)
  })

  it('is not sent to webhooks of other topics, disabled webhooks or open circuits', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender, records } = createSenderHarness([
      createWebhook(url, { id: 'aaaaaaaaaa', topic: 'orders.cancel' }),
      createWebhook(url, { id: 'bbbbbbbbbb', disabled_at: '2026-08-01T09:30:00.000Z' }),
      createWebhook(url, { id: 'cccccccccc', circuit_state: 'open' }),
    ])
    expect(await sender.send(createEvent())).toEqual([])
    await sender.settled()
    expect([arrivals, records.eventCallbacks.size]).toEqual([[], 0])
  })

  it('has at most 256 open calls, and makes the rest when these end', async () => {
    const held: (() => void)[] = []
    let isOpen = false
    const { url, arrivals } = await createEndpoint((response) => {
      if (isOpen) response.end()
      else if (held.push(() => response.end()) === 256) setTimeout(release, 100)
    })
    const release = () => {
      seen = arrivals.length
      isOpen = true
      for (const end of held) end()
    }
    let seen = 0
    const { sender, answers } = createSenderHarness([createWebhook(url)])
    await Promise.all(createEvents(300).map((event) => sender.send(event)))
    expect([seen, arrivals.length]).toEqual([256, 300])
    expect(new Set(answers().map(([code]) => code))).toEqual(new Set(['200']))
  })
})

describe('an event callback', () => {
  it('exists while the call is pending, and then has the code and reason of the answer', async () => {
    const pending: unknown[] = []
    const { url } = await createEndpoint((response) => {
      pending.push(...answers())
      response.writeHead(202, 'Queued for later').end('{"outcome":"queued"}')
    })
    const { sender, records, answers } = createSenderHarness([createWebhook(url)])
    const event = createEvent()
    const [callback] = await sender.send(event)
    expect(pending).toEqual([[null, null]])
    expect(callback).toMatchObject({
      type: 'event_callbacks',
      callback_url: url,
      response_code: '202',
      response_message: 'Queued for later',
      reference: null,
      reference_origin: null,
      metadata: {},
    })
    expect(callback?.id).toMatch(/^[a-zA-Z]{10}$/)
    expect(callback && records.eventCallbacks.get(callback.id)).toBe(callback)
    expect([callback?.event, callback?.webhook]).toEqual([event, [...records.webhooks.values()][0]])
    expect(Date.parse(callback?.updated_at ?? '')).toBeGreaterThanOrEqual(Date.parse(callback?.created_at ?? 'never'))
  })

  it('has the sent document as its payload', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createSenderHarness([createWebhook(url, { include_resources: ['customer'] })])
    const [callback] = await sender.send(createEvent({ ...sampleOf('orders'), metadata: METADATA }))
    expect(callback?.payload).toEqual(readDocument(arrivals[0] ?? expect.fail('Nothing arrived.')))
  })
})
