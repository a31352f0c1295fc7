import type { Customer, Order } from '@commercelayer/sdk'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { type Changes, createDelivery, sampleOf, sign, TEST_SECRET } from '../../src/testing/index.ts'
import { attributesOf, documentOf, hmacOf, includedOf } from './delivered.ts'

describe('its secret and headers', () => {
  it('signs with a secret of yours, as `sign` does', async () => {
    const secret = 'another secret, not of hex'
    const delivery = await createDelivery('customers.create', { secret })
    expect(delivery.headers['X-CommerceLayer-Signature']).toBe(hmacOf(delivery, secret))
    expect(await sign(delivery.body, secret)).toBe(hmacOf(delivery, secret))
  })

  it('adds, replaces and removes headers, whatever their case', async () => {
    const headers = { 'x-commercelayer-signature': 'forged', Accept: undefined, newrelic: 'x' }
    const delivery = await createDelivery('customers.create', { headers })
    expect(delivery.headers).not.toHaveProperty('X-CommerceLayer-Signature')
    expect(delivery.headers).not.toHaveProperty('accept')
    expect(delivery.headers).toMatchObject({ 'x-commercelayer-signature': 'forged', newrelic: 'x' })
  })

  it('goes through fetch', async () => {
    const { method, headers, body } = await createDelivery('customers.create')
    const request = new Request('http://localhost/', { method, headers, body })
    expect(new Uint8Array(await request.arrayBuffer())).toEqual(body)
    expect(request.headers.get('x-commercelayer-topic')).toBe('customers.create')
  })
})

describe('its resource', () => {
  it('changes the attributes of the sample', async () => {
    const delivery = await createDelivery('orders.place', {
      resource: { id: 'AbCdEfGhIj', number: '1001', metadata: { a: 1 } },
    })
    const { data } = documentOf(delivery)
    expect(data.id).toBe('AbCdEfGhIj')
    expect(data.attributes).toMatchObject({ number: '1001', metadata: { a: 1 }, status: 'placed' })
    expect(includedOf(delivery, 'line_items')[0]?.relationships?.order?.data).toEqual({
      type: 'orders',
      id: 'AbCdEfGhIj',
    })
  })

  it('changes related resources, in lists those at the same place', async () => {
    const resource = {
      shipping_address: { first_name: 'Zoë', last_name: 'Müller', line_1: 'Hauptstraße 1' },
      line_items: [{ quantity: 3 }, { quantity: 4, item: { code: 'X' } }],
      market: { name: 'Mars' },
    }
    const delivery = await createDelivery('orders.place', { resource })
    expect(includedOf(delivery, 'addresses').map((address) => address.attributes?.first_name)).toEqual(['Zoë', 'John'])
    const items = includedOf(delivery, 'line_items').map((item) => item.attributes)
    expect(items).toMatchObject([{ quantity: 3, item_type: 'skus' }, { quantity: 4 }])
    expect(includedOf(delivery, 'skus').map((sku) => sku.attributes?.code)).toEqual(['TSHIRTMM000000FFFFFFXLXX', 'X'])
    expect(includedOf(delivery, 'markets')).toMatchObject([{ attributes: { name: 'Mars' } }])
    expect(Number(delivery.headers['content-length'])).toBe(delivery.body.byteLength)
  })

  it('leaves out what is undefined', async () => {
    const resource = { id: undefined, customer: undefined, number: undefined }
    const { data } = documentOf(await createDelivery('orders.place', { resource }))
    expect(data.id).toBe(sampleOf('orders').id)
    expect(data.attributes).not.toHaveProperty('number')
    expect(data.relationships?.customer).not.toHaveProperty('data')
  })

  it('attaches a fresh resource where a changed list is longer than that of the sample', async () => {
    const delivery = await createDelivery('orders.place', {
      resource: { shipments: [{}, { number: '2' }], tags: [{ name: 'a' }] },
    })
    expect(includedOf(delivery, 'shipments').map((shipment) => shipment.attributes?.number)).toEqual([
      '#1234/S/001',
      '2',
    ])
    expect(includedOf(delivery, 'tags').map((tag) => tag.attributes?.name)).toEqual(['a'])
  })

  it('takes another type of payment for the same relationship', async () => {
    const delivery = await createDelivery('orders.place', { resource: { payment_source: { type: 'wire_transfers' } } })
    expect(includedOf(delivery, 'wire_transfers')).toHaveLength(1)
  })

  it('empties relationships', async () => {
    const delivery = await createDelivery('orders.place', { resource: { customer: null, shipments: [], market: null } })
    const { relationships } = documentOf(delivery).data
    expect(relationships?.customer?.data).toBeNull()
    expect(relationships?.market?.data).toBeNull()
    expect(relationships?.shipments?.data).toEqual([])
    expect(includedOf(delivery, 'customers')).toEqual([])
  })

  it('takes a related resource with type and id as it is', async () => {
    const customer = { id: 'ZzZzZzZzZz', type: 'customers', email: 'zoe@example.com' } as Customer
    const delivery = await createDelivery('orders.place', { resource: { customer } })
    expect(includedOf(delivery, 'customers').map((found) => found.attributes)).toEqual([{ email: 'zoe@example.com' }])
  })

  it('takes a whole resource for the whole delivery, cycles included, and leaves it alone', async () => {
    const order = sampleOf('orders')
    const before = structuredClone(order)
    const delivery = await createDelivery('orders.place', { resource: order })
    expect(order).toEqual(before)
    expect(attributesOf(delivery).status).toBe('approved')
    expect(includedOf(delivery, 'stock_line_items')).toHaveLength(2)
    const lean = await createDelivery('orders.place', { resource: order, include: ['line_items.order'] })
    expect(new Set(documentOf(lean).included?.map((resource) => resource.type))).toEqual(new Set(['line_items']))
  })

  it('keeps cycles among changes', async () => {
    const resource: { number: string; line_items: object[] } = { number: '7', line_items: [] }
    resource.line_items.push({ quantity: 9, order: resource })
    const delivery = await createDelivery('orders.place', { resource: resource as Changes<Order> })
    expect(includedOf(delivery, 'orders')).toEqual([])
    expect(attributesOf(delivery).number).toBe('7')
    expect(includedOf(delivery, 'line_items')).toMatchObject([{ attributes: { quantity: 9 } }])
  })

  it('chooses the type of a family', async () => {
    const delivery = await createDelivery('promotions.create', {
      resource: { type: 'flex_promotions', name: 'Flexible' },
    })
    expect(documentOf(delivery).data).toMatchObject({
      type: 'flex_promotions',
      attributes: { name: 'Flexible', rules: {} },
    })
    const destroyed = await createDelivery('promotions.destroy', { resource: { type: 'flex_promotions' } })
    expect(documentOf(destroyed).data.type).toBe('flex_promotions')
  })

  it('carries any text to the other side', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (email) => {
        const delivery = await createDelivery('customers.create', { resource: { email }, include: [] })
        expect(attributesOf(delivery).email).toBe(email)
        expect(delivery.headers['X-CommerceLayer-Signature']).toBe(hmacOf(delivery, TEST_SECRET))
      }),
    )
  })

  it('is typed by the topic', () => {
    type ResourceFor<T extends string> = NonNullable<NonNullable<Parameters<typeof createDelivery<T>>[1]>['resource']>
    expectTypeOf<ResourceFor<'orders.place'>>().toEqualTypeOf<Changes<Order>>()
    expectTypeOf<ResourceFor<'orders.place'>>().not.toBeAny()
    expectTypeOf<Order>().toExtend<ResourceFor<'orders.place'>>()
    expectTypeOf<{ number: number }>().not.toExtend<ResourceFor<'orders.place'>>()
    expectTypeOf<{ customer: { email: number } }>().not.toExtend<ResourceFor<'orders.place'>>()
    expectTypeOf<keyof ResourceFor<'orders.destroy'>>().toEqualTypeOf<'id' | 'type'>()
    expectTypeOf<{ year: number }>().toExtend<ResourceFor<'time_machines.depart'>>()
  })
})

describe('its includes', () => {
  it('are those asked for', async () => {
    const delivery = await createDelivery('orders.place', { include: ['customer', 'line_items.item'] })
    const types = new Set(documentOf(delivery).included?.map((resource) => resource.type))
    expect(types).toEqual(
      new Set(['customers', 'line_items', 'skus', 'shipments', 'payment_methods', 'percentage_discount_promotions']),
    )
    const { relationships } = documentOf(delivery).data
    expect(relationships?.customer).toHaveProperty('data')
    expect(relationships?.shipments).not.toHaveProperty('data')
    expect(includedOf(delivery, 'line_items')[0]?.relationships?.order).not.toHaveProperty('data')
  })

  it('can be none', async () => {
    const delivery = await createDelivery('orders.place', { include: [] })
    expect(documentOf(delivery)).not.toHaveProperty('included')
    for (const relationship of Object.values(documentOf(delivery).data.relationships ?? {})) {
      expect(relationship).not.toHaveProperty('data')
    }
  })

  it('are made up where the sample has none', async () => {
    const delivery = await createDelivery('orders.place', { include: ['market.price_list', 'attachments'] })
    expect(documentOf(delivery).included?.map((resource) => resource.type)).toEqual([
      'markets',
      'attachments',
      'price_lists',
    ])
  })

  it('may go beyond a relationship that leads to several types', async () => {
    const delivery = await createDelivery('orders.place', { include: ['line_items.item.prices'] })
    expect(includedOf(delivery, 'prices')).toHaveLength(2)
  })

  it('are whatever you say for a type nobody knows', async () => {
    const delivery = await createDelivery('time_machines.depart', { include: ['pilot'] })
    expect(documentOf(delivery)).not.toHaveProperty('included')
  })

  it('are refused where there is no such relationship', async () => {
    await expect(createDelivery('orders.place', { include: ['costumer'] })).rejects.toThrow(TypeError)
    await expect(createDelivery('orders.place', { include: ['line_items.costumer'] })).rejects.toThrow(
      /"costumer" is not a relationship of line_items; include one of: order, item, /,
    )
  })
})

describe('its meta', () => {
  it('names the mode and the organisation', async () => {
    const options = { mode: 'live', organizationId: 'OrgOrgOrgO', traceId: 'abc' } as const
    const document = documentOf(await createDelivery('orders.place', options))
    for (const resource of [document.data, ...(document.included ?? [])]) {
      expect(resource.meta).toEqual({ mode: 'live', organization_id: 'OrgOrgOrgO', trace_id: 'abc' })
    }
    expect(document).not.toHaveProperty('meta')
  })

  it('belongs to the document since 2026-05', async () => {
    const document = documentOf(await createDelivery('orders.place', { apiVersion: '2026-05', mode: 'live' }))
    expect(Object.keys(document)).toEqual(['data', 'included', 'meta'])
    expect(document.meta).toEqual({ mode: 'live', organization_id: 'HkTestOrgn', trace_id: expect.any(String) })
    for (const resource of [document.data, ...(document.included ?? [])]) {
      expect(resource.meta).toEqual({ created_with_version: '2026-05' })
    }
  })

  it('does so for destroyed resources, and does not before', async () => {
    const destroyed = documentOf(await createDelivery('orders.destroy', { apiVersion: '2026-08' }))
    expect(destroyed).toMatchObject({ data: { meta: { created_with_version: '2026-08' } }, meta: { mode: 'test' } })
    expect(documentOf(await createDelivery('orders.place', { apiVersion: '2025-11' }))).not.toHaveProperty('meta')
  })
})
