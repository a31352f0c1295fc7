import type { Order } from '@commercelayer/sdk'
import { describe, expect, it } from 'vitest'
import { TOPICS } from '../../src/commerce-layer/topics.ts'
import { createSubject } from '../../src/wire/samples/subject.ts'
import type { Resource } from '../../src/wire/schema.ts'
import { resourcesWithin } from './resources-within.ts'

const topics = Object.entries(TOPICS).flatMap(([resource, events]) => events.map((event) => `${resource}.${event}`))

const createChanged = (topic: string, changes: object) => createSubject(topic, changes)

const place = (changes: object) => createChanged('orders.place', changes) as unknown as Order

/** The times that say when something happened, in the order in which that has to happen. */
const STEPS = ['created_at', 'placed_at', 'approved_at', 'payment_updated_at', 'updated_at']

function expectTotals(order: Order): void {
  const lines = order.line_items ?? []
  const sum = (items: typeof lines) =>
    items.reduce((total, { total_amount_cents }) => total + Number(total_amount_cents), 0)
  const ofType = (...types: string[]) => lines.filter(({ item_type }) => types.includes(String(item_type)))
  for (const line of lines) expect(line.total_amount_cents).toBe(Number(line.unit_amount_cents) * line.quantity)
  expect(order).toMatchObject({
    subtotal_amount_cents: sum(ofType('skus')),
    shipping_amount_cents: sum(ofType('shipments')),
    discount_amount_cents: sum(ofType('percentage_discount_promotions')),
    total_amount_cents: sum(lines),
    total_amount_float: sum(lines) / 100,
    total_amount_with_taxes_cents: sum(lines),
    place_total_amount_cents: sum(lines),
    skus_count: ofType('skus').length,
  })
  expect(Number(order.total_tax_amount_cents) + Number(order.total_taxable_amount_cents)).toBe(sum(lines))
  for (const { amount_cents } of order.transactions ?? []) expect(amount_cents).toBe(sum(lines))
}

describe('a changed sample never contradicts itself:', () => {
  it('`customer_email` is that of the customer, whichever of both is changed', () => {
    expect(place({ customer: { email: 'zoe@example.com' } }).customer_email).toBe('zoe@example.com')
    expect(place({ customer_email: 'zoe@example.com' }).customer?.email).toBe('zoe@example.com')
    const both = place({ customer_email: 'guest@example.com', customer: { email: 'zoe@example.com' } })
    expect([both.customer_email, both.customer?.email]).toEqual(['guest@example.com', 'zoe@example.com'])
    const whole = { type: 'customers' as const, id: 'AbCdEfGhIj', email: 'whole@example.com' }
    expect(place({ customer: whole }).customer_email).toBe('whole@example.com')
    expect(createChanged('returns.request', { customer: { email: 'zoe@example.com' } })).toMatchObject({
      customer_email: 'zoe@example.com',
      order: { customer_email: 'zoe@example.com' },
    })
  })

  it.each<[string, object]>([
    ['nothing', {}],
    ['a quantity', { line_items: [{ quantity: 7 }, {}, {}, {}, {}] }],
    ['a price', { line_items: [{}, { unit_amount_cents: 123_456 }, {}, {}, {}] }],
    ['the shipping costs', { line_items: [{}, {}, { unit_amount_cents: 990 }, {}, {}] }],
    ['fewer lines', { line_items: [{ quantity: 3 }] }],
    ['more lines', { line_items: [{}, {}, {}, {}, {}, { quantity: 2, unit_amount_cents: 500, sku_code: 'CAP' }] }],
    ['no lines', { line_items: [] }],
    ['the lines of a paid order', { payment_status: 'paid', line_items: [{ quantity: 9 }] }],
  ])('the totals are those of the lines after a change of %s', (_, changes) => {
    expectTotals(place(changes))
  })

  it('the float and the text of an amount follow its cents, and the cents its float', () => {
    expect(place({ total_amount_cents: 9_900 })).toMatchObject({
      total_amount_float: 99,
      formatted_total_amount: '€99,00',
      total_amount_with_taxes_cents: 9_900,
      formatted_place_total_amount: '€99,00',
      authorizations: [{ amount_cents: 9_900, capture_balance_cents: 9_900 }],
    })
    expect(place({ total_amount_float: 12.34 })).toMatchObject({
      total_amount_cents: 1_234,
      formatted_total_amount: '€12,34',
    })
    expect(place({ total_amount_cents: 100, formatted_total_amount: '1 €' }).formatted_total_amount).toBe('1 €')
  })

  it('a line has the code and name of its item, and the shipment the number of its order', () => {
    const order = place({ number: '1001', line_items: [{ item: { code: 'MUG', name: 'Mug' } }, { sku_code: 'HAT' }] })
    expect(order.line_items).toMatchObject([
      { sku_code: 'MUG', name: 'Mug', item: { code: 'MUG' } },
      { sku_code: 'HAT', item: { code: 'HAT' } },
    ])
    expect(order.shipments).toMatchObject([{ number: '#1001/S/001', parcels: [{ number: '#1001/S/001/P/001' }] }])
  })

  it.each(STEPS)('the times stay in order when %s is changed', (step) => {
    for (const time of ['2020-01-01T00:00:00.000Z', '2026-11-20T12:00:00.000Z']) {
      const order = createChanged('orders.approve', { [step]: time })
      expect(order[step]).toBe(time)
      const times = STEPS.flatMap((name) => order[name] ?? [])
      expect(times).toEqual([...times].sort())
    }
  })

  it('resources of the caller are not written to', () => {
    const line = {
      type: 'line_items' as const,
      id: 'AbCdEfGhIj',
      total_amount_cents: 4_200,
      item_type: 'skus' as const,
    }
    const customer = Object.freeze({ type: 'customers' as const, id: 'AbCdEfGhIj', email: 'a@example.com' })
    const order = place({ line_items: [Object.freeze(line)], customer, customer_email: 'b@example.com' })
    expect(order.total_amount_cents).toBe(4_200)
    expect(order.customer?.email).toBe('a@example.com')
  })
})

describe('the times of a sample', () => {
  it.each(topics)('of %s are in order, and none is later than the event', (topic) => {
    const sample = createSubject(topic, {}) as Resource
    for (const resource of resourcesWithin(sample)) {
      const times = STEPS.flatMap((name) => resource[name] ?? [])
      expect(times).toEqual([...times].sort())
      for (const [name, time] of Object.entries(resource)) {
        const isPast = /_at$/.test(name) && !/^(expires|next_run)/.test(name) && typeof time === 'string'
        if (isPast) expect(time <= String(sample.updated_at)).toBe(true)
      }
    }
  })

  it('say that an order was created before its payment, and that before it was paid', () => {
    const order = createSubject('orders.pay', {}) as unknown as Order
    const [authorization, capture] = [order.authorizations?.[0], order.captures?.[0]]
    expect(order.created_at < String(order.placed_at)).toBe(true)
    expect(order.created_at <= String(authorization?.created_at)).toBe(true)
    expect(String(authorization?.created_at) <= String(capture?.created_at)).toBe(true)
  })
})
