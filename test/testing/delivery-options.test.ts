import type { Customer, Order } from '@commercelayer/sdk'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { type Changes, createDelivery, sampleOf, sign, TEST_SECRET } from '../../src/testing/index.ts'
import { computeHmac, findIncluded, readAttributes, readDocument } from './delivered.ts'

describe('createDelivery with a secret or headers', () => {
  it('signs with the given secret, as `sign` does', async () => {
    const secret = 'another secret, not of hex'
    const delivery = await createDelivery('customers.create', { secret })
    expect(delivery.headers['X-CommerceLayer-Signature']).toBe(computeHmac(delivery, secret))
    expect(await sign(delivery.body, secret)).toBe(computeHmac(delivery, secret))
  })

  it('adds, replaces and removes headers in any case', async () => {
    const headers = { 'x-commercelayer-signature': 'forged', Accept: undefined, newrelic: 'x' }
    const delivery = await createDelivery('customers.create', { headers })
    expect(delivery.headers).not.toHaveProperty('X-CommerceLayer-Signature')
    expect(delivery.headers).not.toHaveProperty('accept')
    expect(delivery.headers).toMatchObject({ 'x-commercelayer-signature': 'forged', newrelic: 'x' })
  })

  it('makes a delivery that `Request` accepts', async () => {
    const { method, headers, body } = await createDelivery('customers.create')
    const request = new Request('http://localhost/', { method, headers, body })
    expect(new Uint8Array(await request.arrayBuffer())).toEqual(body)
    expect(request.headers.get('x-commercelayer-topic')).toBe('customers.create')
  })
})

it('refuses an option that there is not', async () => {
  const misspelled = { recource: { number: '1001' } } as object
  const message = 'createDelivery has no option `recource`. Did you mean `resource`?'
  await expect(createDelivery('orders.place', misspelled)).rejects.toThrow(new TypeError(message))
})

describe('createDelivery with a resource', () => {
  it('changes the attributes of the sample', async () => {
    const delivery = await createDelivery('orders.place', {
      resource: { id: 'AbCdEfGhIj', number: '1001', metadata: { a: 1 } },
    })
    const { data } = readDocument(delivery)
    expect(data.id).toBe('AbCdEfGhIj')
    expect(data.attributes).toMatchObject({ number: '1001', metadata: { a: 1 }, status: 'placed' })
    expect(findIncluded(delivery, 'line_items')[0]?.relationships?.order?.data).toEqual({
      type: 'orders',
      id: 'AbCdEfGhIj',
    })
  })

  it('changes related resources, in lists those at the same position', async () => {
    const resource = {
      shipping_address: { first_name: 'Zoë', last_name: 'Müller', line_1: 'Hauptstraße 1' },
      line_items: [{ quantity: 3 }, { quantity: 4, item: { code: 'X' } }],
      market: { name: 'Mars' },
    }
    const delivery = await createDelivery('orders.place', { resource })
    expect(findIncluded(delivery, 'addresses').map((address) => address.attributes?.first_name)).toEqual([
      'Zoë',
      'John',
    ])
    const items = findIncluded(delivery, 'line_items').map((item) => item.attributes)
    expect(items).toMatchObject([{ quantity: 3, item_type: 'skus' }, { quantity: 4 }])
    expect(findIncluded(delivery, 'skus').map((sku) => sku.attributes?.code)).toEqual(['TSHIRTMM000000FFFFFFXLXX', 'X'])
    expect(findIncluded(delivery, 'markets')).toMatchObject([{ attributes: { name: 'Mars' } }])
    expect(Number(delivery.headers['content-length'])).toBe(delivery.body.byteLength)
  })

  it('removes fields that are undefined', async () => {
    const resource = { id: undefined, customer: undefined, number: undefined }
    const { data } = readDocument(await createDelivery('orders.place', { resource }))
    expect(data.id).toBe(sampleOf('orders').id)
    expect(data.attributes).not.toHaveProperty('number')
    expect(data.relationships?.customer).not.toHaveProperty('data')
  })

  it('attaches a new resource where a changed list is longer than that of the sample', async () => {
    const delivery = await createDelivery('orders.place', {
      resource: { shipments: [{}, { number: '2' }], tags: [{ name: 'a' }] },
    })
    expect(findIncluded(delivery, 'shipments').map((shipment) => shipment.attributes?.number)).toEqual([
      '#1234/S/001',
      '2',
    ])
    expect(findIncluded(delivery, 'tags').map((tag) => tag.attributes?.name)).toEqual(['a'])
  })

  it('accepts another resource type for a relationship', async () => {
    const delivery = await createDelivery('orders.place', { resource: { payment_source: { type: 'wire_transfers' } } })
    expect(findIncluded(delivery, 'wire_transfers')).toHaveLength(1)
  })

  it('empties relationships that are null or an empty list', async () => {
    const delivery = await createDelivery('orders.place', { resource: { customer: null, shipments: [], market: null } })
    const { relationships } = readDocument(delivery).data
    expect(relationships?.customer?.data).toBeNull()
    expect(relationships?.market?.data).toBeNull()
    expect(relationships?.shipments?.data).toEqual([])
    expect(findIncluded(delivery, 'customers')).toEqual([])
  })

  it('uses a related resource with type and id unchanged', async () => {
    const customer = { id: 'ZzZzZzZzZz', type: 'customers', email: 'zoe@example.com' } as Customer
    const delivery = await createDelivery('orders.place', { resource: { customer } })
    expect(findIncluded(delivery, 'customers').map((found) => found.attributes)).toEqual([{ email: 'zoe@example.com' }])
  })

  it('uses a whole resource with cycles instead of the sample, and does not change it', async () => {
    const order = sampleOf('orders')
    const before = structuredClone(order)
    const delivery = await createDelivery('orders.place', { resource: order })
    expect(order).toEqual(before)
    expect(readAttributes(delivery).status).toBe('approved')
    expect(findIncluded(delivery, 'stock_line_items')).toHaveLength(2)
    const lean = await createDelivery('orders.place', { resource: order, include: ['line_items.order'] })
    expect(new Set(readDocument(lean).included?.map((resource) => resource.type))).toEqual(new Set(['line_items']))
  })

  it('keeps cycles in changes', async () => {
    const resource: { number: string; line_items: object[] } = { number: '7', line_items: [] }
    resource.line_items.push({ quantity: 9, order: resource })
    const delivery = await createDelivery('orders.place', { resource: resource as Changes<Order> })
    expect(findIncluded(delivery, 'orders')).toEqual([])
    expect(readAttributes(delivery).number).toBe('7')
    expect(findIncluded(delivery, 'line_items')).toMatchObject([{ attributes: { quantity: 9 } }])
  })

  it('chooses a type of a family by `type`', async () => {
    const delivery = await createDelivery('promotions.create', {
      resource: { type: 'flex_promotions', name: 'Flexible' },
    })
    expect(readDocument(delivery).data).toMatchObject({
      type: 'flex_promotions',
      attributes: { name: 'Flexible', rules: {} },
    })
    const destroyed = await createDelivery('promotions.destroy', { resource: { type: 'flex_promotions' } })
    expect(readDocument(destroyed).data.type).toBe('flex_promotions')
  })

  it('keeps any text unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (email) => {
        const delivery = await createDelivery('customers.create', { resource: { email }, include: [] })
        expect(readAttributes(delivery).email).toBe(email)
        expect(delivery.headers['X-CommerceLayer-Signature']).toBe(computeHmac(delivery, TEST_SECRET))
      }),
    )
  })

  it('types the resource by the topic', () => {
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

describe('createDelivery with includes', () => {
  it('includes only the given paths', async () => {
    const delivery = await createDelivery('orders.place', { include: ['customer', 'line_items.item'] })
    const types = new Set(readDocument(delivery).included?.map((resource) => resource.type))
    expect(types).toEqual(
      new Set(['customers', 'line_items', 'skus', 'shipments', 'payment_methods', 'percentage_discount_promotions']),
    )
    const { relationships } = readDocument(delivery).data
    expect(relationships?.customer).toHaveProperty('data')
    expect(relationships?.shipments).not.toHaveProperty('data')
    expect(findIncluded(delivery, 'line_items')[0]?.relationships?.order).not.toHaveProperty('data')
  })

  it('includes nothing for an empty list', async () => {
    const delivery = await createDelivery('orders.place', { include: [] })
    expect(readDocument(delivery)).not.toHaveProperty('included')
    for (const relationship of Object.values(readDocument(delivery).data.relationships ?? {})) {
      expect(relationship).not.toHaveProperty('data')
    }
  })

  it('makes up related resources that the sample lacks', async () => {
    const delivery = await createDelivery('orders.place', { include: ['market.price_list', 'attachments'] })
    expect(readDocument(delivery).included?.map((resource) => resource.type)).toEqual([
      'markets',
      'attachments',
      'price_lists',
    ])
  })

  it('accepts a path through a relationship with several target types', async () => {
    const delivery = await createDelivery('orders.place', { include: ['line_items.item.prices'] })
    expect(findIncluded(delivery, 'prices')).toHaveLength(2)
  })

  it('accepts any name for an unknown type', async () => {
    const delivery = await createDelivery('time_machines.depart', { include: ['pilot'] })
    expect(readDocument(delivery)).not.toHaveProperty('included')
  })

  it('throws a TypeError for a name that is not a relationship', async () => {
    await expect(createDelivery('orders.place', { include: ['costumer'] })).rejects.toThrow(TypeError)
    await expect(createDelivery('orders.place', { include: ['line_items.costumer'] })).rejects.toThrow(
      /"costumer" is not a relationship of line_items; include one of: order, item, /,
    )
  })
})

describe('the meta of createDelivery', () => {
  it('names the mode and the organization in each resource', async () => {
    const options = { mode: 'live', organizationId: 'OrgOrgOrgO', traceId: 'abc' } as const
    const document = readDocument(await createDelivery('orders.place', options))
    for (const resource of [document.data, ...(document.included ?? [])]) {
      expect(resource.meta).toEqual({ mode: 'live', organization_id: 'OrgOrgOrgO', trace_id: 'abc' })
    }
    expect(document).not.toHaveProperty('meta')
  })

  it('moves to the document from API version 2026-05 on', async () => {
    const document = readDocument(await createDelivery('orders.place', { apiVersion: '2026-05', mode: 'live' }))
    expect(Object.keys(document)).toEqual(['data', 'included', 'meta'])
    expect(document.meta).toEqual({ mode: 'live', organization_id: 'HkTestOrgn', trace_id: expect.any(String) })
    for (const resource of [document.data, ...(document.included ?? [])]) {
      expect(resource.meta).toEqual({ created_with_version: '2026-05' })
    }
  })

  it('moves for destroyed resources too, and not before 2026-05', async () => {
    const destroyed = readDocument(await createDelivery('orders.destroy', { apiVersion: '2026-08' }))
    expect(destroyed).toMatchObject({ data: { meta: { created_with_version: '2026-08' } }, meta: { mode: 'test' } })
    expect(readDocument(await createDelivery('orders.place', { apiVersion: '2025-11' }))).not.toHaveProperty('meta')
  })
})
