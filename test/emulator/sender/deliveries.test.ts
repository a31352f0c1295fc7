import { createReceiver } from 'hooklayer'
import { createNodeListener } from 'hooklayer/node'
import { createDelivery, sampleOf, TEST_SECRET } from 'hooklayer/testing'
import { describe, expect, it } from 'vitest'
import {
  bodyOf,
  closeAfterEach,
  createEndpoint,
  createScene,
  createUrl,
  documentOf,
  eventOf,
  numbered,
  webhookFor,
} from './harness.ts'

closeAfterEach()

const METADATA = { note: 'Łódź, 日本 🙂, R&D <b>\u2028' }

describe('a delivery', () => {
  it('is verified and handled by a receiver, whatever its alphabet', async () => {
    const received: unknown[] = []
    const receiver = createReceiver({ secrets: { 'orders.place': TEST_SECRET } })
    receiver.on('orders.place', ({ resource: order, mode }) => {
      received.push([order.metadata, order.total_amount_float, order.customer?.email, order.line_items, mode])
    })
    const url = await createUrl(createNodeListener(receiver))
    const { sender, answers } = createScene([webhookFor(url, { include_resources: ['customer'] })])
    await sender.send(eventOf({ ...sampleOf('orders'), metadata: METADATA }))
    expect(answers()).toEqual([['200', 'OK']])
    expect(received).toEqual([[METADATA, 57, 'john@example.com', undefined, 'test']])
  })

  it('has the headers and the bytes of one made for tests', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createScene([webhookFor(url, { include_resources: ['customer', 'line_items.item'] })])
    const resource = { ...sampleOf('orders'), metadata: METADATA }
    await sender.send(eventOf(resource))
    const expected = await createDelivery('orders.place', { resource, include: ['customer', 'line_items.item'] })
    const headers = Object.entries(expected.headers).map(([name, value]) => [name.toLowerCase(), value])
    const [arrival] = arrivals
    expect(arrival && bodyOf(arrival).toString()).toBe(new TextDecoder().decode(expected.body))
    expect(arrival?.headers).toEqual({
      ...Object.fromEntries(headers),
      host: new URL(url).host,
      connection: 'keep-alive',
    })
  })

  it('includes what the webhook asks for: `data` of nothing is null, and absent where it was not asked for', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createScene([webhookFor(url, { include_resources: ['customer', 'market', 'tags'] })])
    await sender.send(eventOf({ customer: { id: 'cUstomerId', type: 'customers' }, shipping_address: null }))
    const { data, included } = documentOf(arrivals[0] ?? expect.fail('Nothing arrived.'))
    expect(data.relationships.customer.data).toEqual({ type: 'customers', id: 'cUstomerId' })
    expect(data.relationships.market.data).toBeNull()
    expect(data.relationships.tags.data).toEqual([])
    expect(data.relationships.shipping_address).not.toHaveProperty('data')
    expect(included.map(({ type }: { type: string }) => type)).toEqual(['customers'])
  })

  it('of `*.destroy` carries id and type alone', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createScene([webhookFor(url, { topic: 'orders.destroy', include_resources: ['customer'] })])
    await sender.send(eventOf(sampleOf('orders'), 'orders.destroy'))
    const { data, included } = documentOf(arrivals[0] ?? expect.fail('Nothing arrived.'))
    expect(Object.keys(data)).toEqual(['id', 'type', 'links', 'meta'])
    expect(included).toBeUndefined()
  })

  it('of `*.tagged` includes the tags unasked', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createScene([webhookFor(url, { topic: 'orders.tagged' })])
    await sender.send(eventOf({ tags: [{ id: 'tAgIdTagId', type: 'tags', name: 'vip' }] }, 'orders.tagged'))
    const { included } = documentOf(arrivals[0] ?? expect.fail('Nothing arrived.'))
    expect(included.map(({ attributes }: { attributes: object }) => attributes)).toEqual([{ name: 'vip' }])
  })

  it('says which mode and organisation it comes from', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createScene([webhookFor(url)], { mode: 'live', organizationId: 'wRPpEFOElR' })
    await sender.send(eventOf())
    const { data } = documentOf(arrivals[0] ?? expect.fail('Nothing arrived.'))
    expect(data.meta).toEqual({ mode: 'live', organization_id: 'wRPpEFOElR' })
  })
})

describe('an event', () => {
  it('goes to all webhooks of its topic side by side, each with a secret and includes of its own', async () => {
    const waiting: (() => void)[] = []
    const { url, arrivals } = await createEndpoint((response) => {
      waiting.push(() => response.end())
      if (waiting.length === 3) for (const end of waiting) end()
    })
    const { sender } = createScene([
      webhookFor(`${url}one`, { id: 'oneoneoneo' }),
      webhookFor(`${url}two`, { id: 'twotwotwot', shared_secret: 'another secret' }),
      webhookFor(`${url}six`, { id: 'sixsixsixs', include_resources: ['customer'] }),
    ])
    const callbacks = await sender.send(eventOf())
    expect(callbacks.map(({ webhook }) => webhook.id)).toEqual(['oneoneoneo', 'twotwotwot', 'sixsixsixs'])
    expect(new Set(arrivals.map(({ signature }) => signature)).size).toBe(3)
    expect(new Set(arrivals.map((arrival) => bodyOf(arrival).toString())).size).toBe(2)
    expect(callbacks[0]?.payload).toBe(callbacks[1]?.payload)
  })

  it('goes neither to webhooks of other topics, nor to those that are disabled or open', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender, records } = createScene([
      webhookFor(url, { id: 'aaaaaaaaaa', topic: 'orders.cancel' }),
      webhookFor(url, { id: 'bbbbbbbbbb', disabled_at: '2026-08-01T09:30:00.000Z' }),
      webhookFor(url, { id: 'cccccccccc', circuit_state: 'open' }),
    ])
    expect(await sender.send(eventOf())).toEqual([])
    await sender.settled()
    expect([arrivals, records.eventCallbacks.size]).toEqual([[], 0])
  })

  it('has 256 calls open at most, and the rest as soon as one has ended', async () => {
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
    const { sender, answers } = createScene([webhookFor(url)])
    await Promise.all(numbered(300).map((event) => sender.send(event)))
    expect([seen, arrivals.length]).toEqual([256, 300])
    expect(new Set(answers().map(([code]) => code))).toEqual(new Set(['200']))
  })
})

describe('an event callback', () => {
  it('is there while the call is pending, and then has the code and the reason that were answered', async () => {
    const pending: unknown[] = []
    const { url } = await createEndpoint((response) => {
      pending.push(...answers())
      response.writeHead(202, 'Queued for later').end('{"outcome":"queued"}')
    })
    const { sender, records, answers } = createScene([webhookFor(url)])
    const event = eventOf()
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

  it('has what was sent as its payload', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createScene([webhookFor(url, { include_resources: ['customer'] })])
    const [callback] = await sender.send(eventOf({ ...sampleOf('orders'), metadata: METADATA }))
    expect(callback?.payload).toEqual(documentOf(arrivals[0] ?? expect.fail('Nothing arrived.')))
  })
})
