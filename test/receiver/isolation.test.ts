import type { Handler, WebhookEvent } from 'hooklayer'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { CART, delivery, recordingLogger, SECRET } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'
import { waitFor } from '../wait-for.ts'

const request = delivery('orders.place', CART)
const { logger } = recordingLogger()
const OPTIONS = { secrets: { 'orders.place': SECRET }, logger }

/** All that a handler can see of its event. */
function snapshot(event: WebhookEvent): unknown {
  const { topic, mode, organizationId, stale, id, rawBody, receivedAt, delivery } = event
  const { topic: signed, body, receivedAt: at, id: deliveryId } = delivery
  const resource = structuredClone(event.resource)
  const times = [receivedAt.getTime(), at.getTime()]
  return {
    topic,
    mode,
    organizationId,
    stale,
    id,
    resource,
    bytes: [[...rawBody], [...body]],
    signed,
    times,
    deliveryId,
  }
}

/** Changes whatever can be reached from an event. */
function vandalize(event: WebhookEvent): void {
  const seen = new Set<unknown>()
  const spoil = (value: unknown) => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    seen.add(value)
    if (value instanceof Uint8Array) return void value.fill(0)
    if (value instanceof Date) return void value.setTime(0)
    for (const name of Object.keys(value)) {
      spoil((value as Record<string, unknown>)[name])
      Reflect.set(value, name, 'spoiled')
    }
    Reflect.set(value, 'added', 'spoiled')
  }
  for (const part of [event.resource, event.rawBody, event.receivedAt, event.delivery.body, event.delivery, event]) {
    spoil(part)
  }
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe.each(await inBothRuntimes(() => import('hooklayer')))(
  'on %s, what a handler does to its event',
  (_, hooklayer) => {
    it('is not seen by any other handler, in its ids, or by `onError`', async () => {
      const seen: unknown[] = []
      const spoil = (event: WebhookEvent) => {
        seen.push(snapshot(event))
        vandalize(event)
        seen.push([event.id, event.delivery?.id])
        throw new hooklayer.PermanentError('spoiled')
      }
      const receiver = hooklayer.createReceiver(OPTIONS)
      receiver
        .on('orders.place', spoil)
        .on('orders.*', async (event) => spoil(event))
        .on('*', spoil)
      receiver.onError((_error, { event }) => event && seen.push(snapshot(event)) && vandalize(event))
      receiver.onError((_error, { event }) => event && seen.push(snapshot(event)))
      await receiver.receive(request)

      const snapshots = seen.filter((one): one is { id: string; deliveryId: string } => !Array.isArray(one))
      const [first] = snapshots
      expect(snapshots).toHaveLength(3 + 3 * 2)
      for (const one of snapshots) expect(one).toEqual(first)
      expect(first).toMatchObject({ resource: { number: '2001' }, bytes: [[...request.body], [...request.body]] })
      const ids = seen.filter(Array.isArray)
      expect(ids).toHaveLength(3)
      for (const [id] of ids) expect(id).toBe(first?.id)
      expect(first?.id).toBe(await hooklayer.eventIdOf('orders.place', CART))
    })

    it('is not seen by a handler that looks at the event only when the other has ended', async () => {
      let spoiled = () => {}
      const done = new Promise<void>((resolve) => {
        spoiled = resolve
      })
      const expected: unknown[] = []
      const receiver = hooklayer.createReceiver(OPTIONS)
      receiver.on('orders.place', (event) => vandalize(event) ?? spoiled())
      receiver.on('orders.place', async (event) => {
        await done
        expected.push(event.topic, event.resource.number, event.id, [...event.rawBody])
      })
      await receiver.receive(request)
      expect(expected).toEqual([
        'orders.place',
        '2001',
        await hooklayer.eventIdOf('orders.place', CART),
        [...request.body],
      ])
    })

    it('does not change under which key a store knows it: only the handler that failed runs again', async () => {
      const receiver = hooklayer.createReceiver({ ...OPTIONS, idempotency: { store: createMemoryStore() } })
      const calls: string[] = []
      receiver.on('orders.place', (event) => vandalize(event) ?? calls.push('spoils'))
      receiver.on('orders.place', ({ resource }) => {
        calls.push(String(resource.number))
        if (calls.length < 3) throw new Error('not yet')
      })
      const statuses = [
        await receiver.receive(request),
        await receiver.receive(request),
        await receiver.receive(request),
      ]
      expect(statuses.map(({ status, body }) => [status, body])).toEqual([
        [500, expect.any(String)],
        [200, '{"outcome":"handled"}'],
        [200, '{"outcome":"duplicate"}'],
      ])
      expect(calls).toEqual(['spoils', '2001', '2001'])
    })

    it('tells every handler that the event is stale', async () => {
      const idempotency = { store: createMemoryStore() }
      const receiver = hooklayer.createReceiver({ ...OPTIONS, idempotency })
      const at = (updated_at: string) =>
        delivery('orders.place', { data: { ...CART.data, attributes: { updated_at } }, included: [] })
      await receiver.on('orders.place', () => {}).receive(at('2026-01-02T00:00:00.000Z'))
      const stale: boolean[] = []
      const note: Handler = (event) => {
        stale.push(event.stale)
        Reflect.set(event, 'stale', false)
      }
      await receiver.on('orders.place', note).on('*', note).receive(at('2026-01-01T00:00:00.000Z'))
      expect(stale).toEqual([true, true])
    })

    it('is not seen by the next attempt of a worker', async () => {
      const inbox = createMemoryInbox()
      const receiver = hooklayer.createReceiver({ ...OPTIONS, inbox })
      const seen: unknown[] = []
      receiver.on('orders.place', (event) => {
        seen.push(snapshot(event))
        vandalize(event)
        if (seen.length < 2) throw new Error('not yet')
      })
      const body = Uint8Array.from(request.body)
      expect((await receiver.receive({ ...request, body })).status).toBe(202)
      body.fill(0)
      const worker = hooklayer.createWorker({ receiver, inbox, backoffMs: 1, logger })
      await waitFor(() => expect(seen).toHaveLength(2))
      await worker.stop()
      expect(seen[1]).toEqual(seen[0])
      await inbox.close()
    })

    it.each([
      [1, 'of which one looks at the resource', [true, false, false]],
      [1, 'of which none looks at the resource', [false, false, false]],
      [2, 'of which two look at the resource', [false, true, true]],
    ])('costs a document that is parsed %s times for handlers %s', async (times, _what, looks) => {
      const receiver = hooklayer.createReceiver(OPTIONS)
      for (const look of looks) receiver.on('*', (event) => look && expect(event.resource).toHaveProperty('number'))
      const parse = vi.spyOn(JSON, 'parse')
      await receiver.receive(request)
      expect(parse).toHaveBeenCalledTimes(times)
    })
  },
)

describe.each(await inBothRuntimes(() => import('hooklayer')))('on %s, a hostile name', (_, hooklayer) => {
  const HOSTILE = `{
    "data": { "id": "a", "type": "orders",
      "attributes": { "number": "2001", "metadata": { "gift": { "__proto__": { "polluted": 1 }, "wrap": true } },
        "__proto__": { "polluted": 1 }, "list": [[{ "\\u005f_proto__": { "polluted": 1 } }]] },
      "relationships": { "customer": { "data": { "type": "customers", "id": "b" } }, "__proto__": { "data": [] },
        "market": { "data": { "type": "markets", "id": "absent", "__proto__": { "polluted": 1 } } } } },
    "included": [{ "id": "b", "type": "customers",
      "attributes": { "metadata": { "constructor": { "prototype": { "polluted": 1 } }, "toString": { "call": 1 } } } }]
  }`

  it('reaches no handler, from `data`, `included`, attributes, metadata or a reference', async () => {
    const events: WebhookEvent[] = []
    const receiver = hooklayer.createReceiver(OPTIONS)
    receiver.on('*', (event) => events.push(event)).on('*', (event) => events.push(event))
    expect((await receiver.receive(delivery('orders.place', HOSTILE))).status).toBe(200)
    expect(events).toHaveLength(2)
    for (const { resource } of events) {
      expect(JSON.stringify(resource)).not.toMatch(/polluted|proto|constructor|call/)
      expect(resource).toEqual({
        id: 'a',
        type: 'orders',
        number: '2001',
        metadata: { gift: { wrap: true } },
        list: [[{}]],
        customer: { id: 'b', type: 'customers', metadata: {} },
        market: { type: 'markets', id: 'absent' },
      })
    }
  })

  it('does not change the `id` of an event, before and after its resource is read', async () => {
    const { body, headers } = delivery('orders.place', HOSTILE)
    const event = await hooklayer.parse(await hooklayer.verify(body, headers, SECRET))
    const expected = await hooklayer.eventIdOf('orders.place', JSON.parse(HOSTILE))
    expect(expected).toBe('525bc3763adcda567d91b21eec2a779eb98c78b1054969fe8dcd3f9610f484f9')
    expect(event.resource).toHaveProperty('number')
    expect(event.id).toBe(expected)
    const other = await hooklayer.parse(await hooklayer.verify(body, headers, SECRET))
    expect(other.id).toBe(expected)
  })
})
