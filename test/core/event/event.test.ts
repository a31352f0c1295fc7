import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { canonicalDocument } from '../../../src/core/event/event-id.ts'
import { CART, delivery, idOf, nested, order, rejection, SECRET, thrownBy } from '../../deliveries.ts'
import { inBothRuntimes } from '../../runtimes.ts'

describe.each(await inBothRuntimes(() => import('hooklayer')))('an event on %s', (_, { parse, verify }) => {
  async function createEvent(document: object | string, topic = 'orders.place') {
    const { body, headers } = delivery(topic, document)
    return parse(await verify(body, headers, SECRET))
  }

  it('has its topic, raw body, time, delivery, mode and organization', async () => {
    const { body, headers } = delivery('orders.place', CART)
    const received = await verify(body, headers, SECRET)
    const event = await parse(received)
    expect(event.topic).toBe('orders.place')
    expect(event.rawBody).toEqual(body)
    expect(event.rawBody).toBe(received.body)
    expect(event.receivedAt).toBe(received.receivedAt)
    expect(event.delivery).toBe(received)
    expect(event).toMatchObject({ mode: 'test', organizationId: 'wRPpEFOElR' })
  })

  it.each([
    ['given to `verify`', (body: Uint8Array) => body],
    ['of the delivery', (_: Uint8Array, received: { body: Uint8Array }) => received.body],
  ])('is not made of bytes %s that were changed between `verify` and `parse`', async (_what, find) => {
    const { body, headers } = delivery('orders.place', CART)
    const received = await verify(body, headers, SECRET)
    const changed = find(body, received)
    changed.set(new TextEncoder().encode('"6666"'), new TextDecoder().decode(changed).indexOf('"2001"'))
    Reflect.set(received, 'topic', 'orders.pay')
    const event = await parse(received)
    expect([event.topic, event.resource]).toMatchObject(['orders.place', { number: '2001' }])
    expect(event.id).toBe(idOf('orders.place', canonicalDocument(JSON.parse(JSON.stringify(CART)))))
    expect(received.id).toBe(idOf('orders.place', JSON.stringify(CART)))
  })

  it('has a linked resource, the same object each time', async () => {
    const event = await createEvent(CART)
    const { resource } = event
    expect(event.resource).toBe(resource)
    expect(resource).toMatchObject({ id: 'NrlYhpzLKA', customer: { email: 'ada@example.com' } })
  })

  it('has an id: SHA-256 of the topic and the canonical form', async () => {
    const { id } = await createEvent(CART)
    expect(id).toBe(idOf('orders.place', canonicalDocument(JSON.parse(JSON.stringify(CART)))))
  })

  it('has the same id before and after its resource is read or changed', async () => {
    const [untouched, event] = [await createEvent(CART), await createEvent(CART)]
    Object.assign(event.resource, { number: 'changed', customer: null })
    expect(event.id).toBe(untouched.id)
    const { resource } = untouched
    expect(untouched.id).toBe(event.id)
    expect(untouched.resource).toBe(resource)
    expect(resource).toMatchObject({ number: '2001' })
  })

  it('has the same id however its JSON is written, and another id for another topic or content', async () => {
    const { data, included } = CART
    const { id } = await createEvent(CART)
    expect((await createEvent(JSON.stringify({ meta: {}, included, data }, null, 2))).id).toBe(id)
    expect((await createEvent({ data: { ...data, meta: { trace_id: 'x' } }, included, links: {} })).id).toBe(id)
    expect((await createEvent(CART, 'orders.pay')).id).not.toBe(id)
    expect((await createEvent({ data })).id).not.toBe(id)
  })

  it('is written by JSON.stringify with its resource, and without its bytes', async () => {
    const { body, headers } = delivery('orders.place', CART)
    const event = await parse(await verify(body, headers, SECRET))
    const { id, topic, mode, organizationId, receivedAt } = event
    const json = JSON.parse(JSON.stringify(event))
    expect(json).toEqual({
      ...{ id, topic, mode, organizationId, receivedAt: receivedAt.toJSON() },
      resource: JSON.parse(JSON.stringify(event.resource)),
    })
    expect(json.resource.customer.email).toBe('ada@example.com')
    expect(Object.keys(event)).toEqual(['topic', 'mode', 'organizationId', 'stale'])
    expect(Object.keys({ ...event })).not.toContain('delivery')
    expect(structuredClone(event)).toMatchObject({ topic: 'orders.place' })
  })

  it('is printed by console.log with the names of what it has, and without its resource', async () => {
    const event = await createEvent(CART)
    const printed = inspect(event)
    expect(printed).toMatch(/^\{/)
    expect(printed).toContain("topic: 'orders.place'")
    expect(printed).toContain(event.receivedAt.toISOString())
    for (const name of ['id', 'resource', 'rawBody']) expect(printed).toContain(`${name}: [Getter]`)
    expect(inspect(event, { getters: true })).toContain("number: '2001'")
  })

  it('has an id that differs from the id of its delivery', async () => {
    const event = await createEvent(CART)
    expect(event.id).not.toBe(event.delivery.id)
  })

  it.each([
    ['on the resource', { data: order({ meta: { mode: 'live', organization_id: 'org' } }) }],
    [
      'on the document',
      { data: order({ meta: { created_with_version: '1' } }), meta: { mode: 'live', organization_id: 'org' } },
    ],
    ['on a document whose resource has none', { data: order(), meta: { mode: 'live', organization_id: 'org' } }],
    [
      'on both, where the resource wins',
      { data: order({ meta: { mode: 'live', organization_id: 'org' } }), meta: { mode: 'test', organization_id: 'x' } },
    ],
  ])('reads mode and organization wherever meta is: %s', async (_, document) => {
    expect(await createEvent(document)).toMatchObject({ mode: 'live', organizationId: 'org' })
  })

  it.each([
    ['no meta', {}],
    ['meta that is null', { meta: null }],
    ['an empty meta', { meta: {} }],
    ['values of other types', { meta: { mode: 1, organization_id: {} } }],
    ['an unknown mode', { meta: { mode: 'staging' } }],
  ])('has neither mode nor organization with %s', async (_, document) => {
    const { mode, organizationId } = await createEvent({ data: order(), ...document })
    expect([mode, organizationId]).toEqual([undefined, undefined])
  })

  it.each([
    ['orders.place', 'customers'],
    ['orders.place', 'order'],
    ['orders.place', '__proto__'],
    ['captures.create', 'refunds'],
  ])('is refused when its topic is %s and its resource has the type %s', async (topic, type) => {
    expect(await rejection(createEvent({ data: { id: 'a', type } }, topic))).toMatchObject({
      code: 'TOPIC_MISMATCH',
      status: 400,
    })
  })

  it.each([
    ['promotions.create', 'flex_promotions'],
    ['transactions.refused', 'captures'],
    ['avalara_accounts.invoice_committed', 'vertex_accounts'],
    ['novelties.appear', 'anything'],
    ['orders.novelty', 'orders'],
  ])('is accepted when its topic is %s and its resource has the type %s', async (topic, type) => {
    expect((await createEvent({ data: { id: 'a', type } }, topic)).resource).toEqual({ id: 'a', type })
  })

  it('has a resource but no id when its document is nested 10,000 levels deep: reading the id throws DOCUMENT_INVALID', async () => {
    const event = await createEvent(nested(10_000))
    const refused = expect.objectContaining({ code: 'DOCUMENT_INVALID' })
    expect(thrownBy(() => event.id)).toEqual(refused)
    expect(event.resource).toMatchObject({ number: '2001' })
    expect(thrownBy(() => event.id)).toEqual(refused)
    expect(event.delivery.id).toBe(idOf('orders.place', nested(10_000)))
  })
})
