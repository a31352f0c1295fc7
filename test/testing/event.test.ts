import type { Order } from '@commercelayer/sdk'
import { createReceiver, type WebhookEvent } from 'hooklayer'
import { createEvent, TEST_SECRET } from 'hooklayer/testing'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { rejection } from '../deliveries.ts'

/** A handler as a shop has it. */
function greet({ resource: order }: WebhookEvent<'orders.place', 'customer'>): string {
  return `Thank you, ${order.customer.email}`
}

describe('createEvent', () => {
  it('makes the event that a handler alone can be tested with', async () => {
    const event = await createEvent(
      'orders.place',
      { customer: { email: 'zoe@example.com' } },
      { include: ['customer'] },
    )
    expect(greet(event)).toBe('Thank you, zoe@example.com')
    expect(event).toMatchObject({ topic: 'orders.place', mode: 'test', organizationId: 'HkTestOrgn', stale: false })
    expect(event.resource).toMatchObject({ status: 'placed', customer_email: 'zoe@example.com' })
    expect(event.resource).not.toHaveProperty('line_items')
    expect(event.id).toMatch(/^[0-9a-f]{64}$/)
    expectTypeOf(event).toEqualTypeOf<WebhookEvent<'orders.place', 'customer'>>()
    expectTypeOf(event.resource.customer.email).not.toBeAny()
  })

  it('has the usual includes, which its type has as optional', async () => {
    const event = await createEvent('orders.place')
    expect(event.resource.line_items?.[0]?.order).toBe(event.resource)
    expectTypeOf(event.resource).toEqualTypeOf<Order>()
    // @ts-expect-error: it may not be included
    expect(event.resource.customer.email).toBe('john@example.com')
  })

  it('makes an event that a receiver takes for the same one', async () => {
    const seen: string[] = []
    const receiver = createReceiver({ secrets: { 'orders.place': TEST_SECRET } }).on('orders.place', ({ id }) =>
      seen.push(id),
    )
    const event = await createEvent('orders.place', { number: '7' })
    await receiver.redeliver('orders.place', JSON.parse(new TextDecoder().decode(event.rawBody)))
    expect(seen).toEqual([event.id])
  })

  it('takes the `?` of an include, other topics and options', async () => {
    const options = { include: ['payment_method?'], mode: 'live', organizationId: 'wRPpEFOElR' } as const
    const event = await createEvent('orders.place', {}, options)
    expect(event).toMatchObject({ mode: 'live', organizationId: 'wRPpEFOElR' })
    expect(event.resource.payment_method).toMatchObject({ type: 'payment_methods' })
    expect((await createEvent('orders.destroy', { id: 'GoneGoneGo' })).resource).toMatchObject({ id: 'GoneGoneGo' })
    expect((await createEvent('time_machines.depart', { year: 1955 })).resource).toMatchObject({ year: 1955 })
  })

  it('refuses what no event can have', async () => {
    const event = createEvent('orders.place', {}, { include: ['custmer'] })
    await expect(event).rejects.toThrow('"custmer" is not a relationship of orders')
    expect(await rejection(createEvent('orders'))).toMatchObject({ code: 'TOPIC_INVALID' })
    const customer = { type: 'customers', id: 'AbCdEfGhIj' }
    expect(await rejection(createEvent('orders.place', customer as never))).toMatchObject({ code: 'TOPIC_MISMATCH' })
  })
})
