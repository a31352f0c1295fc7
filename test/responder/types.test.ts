import type { Address, Customer, LineItem, Market, Order, ShippingMethod, Sku, Tag } from '@commercelayer/sdk'
import type { Logger } from 'hooklayer'
import { createExpressMiddleware } from 'hooklayer/express'
import { createFetchHandler } from 'hooklayer/fetch'
import {
  createResponder,
  type ExternalResourceKind,
  type Refusal,
  type Responder,
  type ResponderAnswer,
  refuse,
} from 'hooklayer/responder'
import { createRequest, TEST_SECRET } from 'hooklayer/testing'
import { describe, expect, expectTypeOf, it } from 'vitest'

const secret = TEST_SECRET

describe('the type of a request', () => {
  it('has the default includes of prices', () => {
    const responder = createResponder('prices', { secret }, ({ resource: line }, { signal, logger }) => {
      expectTypeOf(line).not.toBeAny()
      expectTypeOf(line.sku_code).toEqualTypeOf<string | null | undefined>()
      expectTypeOf(line.order).not.toBeNullable()
      expectTypeOf(line.order.customer).extract<null>().toEqualTypeOf<null>()
      expectTypeOf(line.order.customer?.tags).extract<Tag[]>().not.toBeNever()
      expectTypeOf(line.item).extract<Sku>().not.toBeNever()
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
      expectTypeOf(logger).toEqualTypeOf<Logger>()
      // @ts-expect-error the tags of a market are not included
      line.order.market?.tags.length
      return { unit_amount_cents: 1 }
    })
    expectTypeOf(responder).toEqualTypeOf<Responder>()
  })

  it('has those of orders and shipments', () => {
    createResponder('tax', { secret }, ({ resource: order }) => {
      expectTypeOf(order.number).toEqualTypeOf<Order['number']>()
      expectTypeOf(order.line_items).items.toHaveProperty('id')
      expectTypeOf(order.line_items).not.toBeNullable()
      expectTypeOf(order.market).toEqualTypeOf<Market>()
      expectTypeOf(order.shipping_address).toEqualTypeOf<Address | null>()
      // @ts-expect-error a tax calculator's requests do not include the customer
      order.customer.email
      return { tax_rate: 0 }
    })
    createResponder('order-validation', { secret }, ({ resource: order }) => {
      expectTypeOf(order.customer).toEqualTypeOf<Customer | null>()
      return {}
    })
    createResponder('shipping-cost', { secret }, ({ resource: shipment }) => {
      expectTypeOf(shipment.shipping_method).toEqualTypeOf<ShippingMethod | null>()
      return { unit_amount_cents: 1 }
    })
  })

  it('has those of `externalIncludes` in the place of the default ones', () => {
    createResponder(
      'tax',
      { secret, externalIncludes: ['customer', 'line_items.line_item_options'] },
      ({ resource }) => {
        expectTypeOf(resource.customer).toEqualTypeOf<Customer>()
        expectTypeOf(resource.line_items[0]?.line_item_options).exclude<undefined>().items.toHaveProperty('id')
        // @ts-expect-error the market is not included any more
        resource.market.name
        return { tax_rate: 0 }
      },
    )
    // @ts-expect-error an order has no such relationship
    createResponder('tax', { secret, externalIncludes: ['customers'] }, () => ({ tax_rate: 0 }))
  })

  it('is given to a fallback as well', () => {
    const fallback = ({ resource }: { resource: { line_items: LineItem[] } }) => ({
      line_items: resource.line_items.map(({ id }) => ({ id, tax_rate: 0 })),
    })
    createResponder('tax', { secret, fallback }, () => ({ tax_rate: 0 }))
  })
})

describe('the type of an answer', () => {
  it('is that of its kind, a refusal, or a promise of one of them', () => {
    expectTypeOf<ResponderAnswer<'prices'>['unit_amount_cents']>().toEqualTypeOf<number>()
    for (const kind of ['prices', 'tax', 'promotion'] as const) expectTypeOf(kind).toExtend<ExternalResourceKind>()
    expectTypeOf<ResponderAnswer<ExternalResourceKind>>().not.toBeAny()
    expectTypeOf(refuse('A', 'a')).toEqualTypeOf<Refusal>()
    createResponder('prices', { secret }, async () => ({ unit_amount_cents: 1, metadata: { a: 1 } }))
    createResponder('prices', { secret, fallback: { unit_amount_cents: 1 } }, async () => refuse('A', 'a'))
    createResponder('promotion', { secret }, () => ({ name: 'Ten', discount_cents: 1, line_items: [{ id: 'a' }] }))
    createResponder('promotion', { secret }, () => ({ name: 'Ten', line_items: [{ id: 'a', discount_cents: 1 }] }))
    createResponder('tax', { secret }, () => ({ line_items: [{ id: 'a', tax_collectable: 1, country_tax_rate: 0.1 }] }))
  })

  it('is no other', () => {
    // @ts-expect-error there is no such kind
    expect(() => createResponder('payment', { secret }, () => ({}))).toThrow(TypeError)
    // @ts-expect-error the amount is missing
    createResponder('prices', { secret }, () => ({}))
    // @ts-expect-error nothing is no answer
    createResponder('prices', { secret }, () => {})
    // @ts-expect-error an amount is a number
    createResponder('prices', { secret }, () => ({ unit_amount_cents: '1' }))
    // @ts-expect-error that is the answer of another kind
    createResponder('prices', { secret }, () => ({ tax_rate: 0.2 }))
    // @ts-expect-error a promotion has a name
    createResponder('promotion', { secret }, () => ({ discount_cents: 1 }))
    // @ts-expect-error a discount is of the lines, or of each line
    createResponder('promotion', { secret }, () => ({
      name: 'A',
      discount_cents: 1,
      line_items: [{ id: 'a', discount_cents: 1 }],
    }))
    // @ts-expect-error a line has an id
    createResponder('tax', { secret }, () => ({ line_items: [{ tax_rate: 0.1 }] }))
    // @ts-expect-error a fallback is checked, too
    createResponder('prices', { secret, fallback: { tax_rate: 0.1 } }, () => ({ unit_amount_cents: 1 }))
    // @ts-expect-error a fallback is given at once
    createResponder('prices', { secret, fallback: async () => ({ unit_amount_cents: 1 }) }, () => ({
      unit_amount_cents: 1,
    }))
    // @ts-expect-error a refusal is made by `refuse`
    createResponder('prices', { secret }, () => ({ code: 'A', message: 'a' }))
    // @ts-expect-error there is no such option
    expect(() => createResponder('prices', { secret, inbox: {} }, () => ({ unit_amount_cents: 1 }))).toThrow(TypeError)
  })
})

it('a responder is mounted as a receiver is', () => {
  const responder = createResponder('tax', { secret }, () => ({ tax_rate: 0 }))
  expectTypeOf(createExpressMiddleware).toBeCallableWith(responder)
  expectTypeOf(createFetchHandler).toBeCallableWith(responder)
  expect(createFetchHandler(responder)).toBeTypeOf('function')
})

it('a request for tests knows the fields of its kind', async () => {
  await createRequest('prices', { resource: { quantity: 3, order: { currency_code: 'EUR' } } })
  // @ts-expect-error a line item has no number
  await createRequest('prices', { resource: { number: '1' } })
  // @ts-expect-error there is no such kind
  await expect(createRequest('payment')).rejects.toThrow('the kind must be one of prices')
})
