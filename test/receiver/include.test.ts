import { createReceiver, isWebhookError, type ReceiverOptions } from 'hooklayer'
import { describe, expect, it, vi } from 'vitest'
import { CART, delivery, order, recordingLogger, SECRET } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'

const { logger } = recordingLogger()
const OPTIONS: ReceiverOptions = { secrets: () => SECRET, logger }
const [customer, line] = CART.included
const item = { type: 'skus', id: 'aBcDeFgHiJ' }

/** The document {@link CART}, with these relationships of its line item, and a SKU included. */
function cartWith(relationships: Record<string, unknown>): object {
  return { ...CART, included: [customer, { ...line, relationships }, { ...item, attributes: { code: 'MUG' } }] }
}

describe.each(await inBothRuntimes(() => import('hooklayer')))('the `include` of a handler, on %s,', (_, hooklayer) => {
  async function deliverTo(include: readonly string[], document: object, topic = 'orders.place') {
    const handled = vi.fn()
    const other = vi.fn()
    const receiver = hooklayer.createReceiver(OPTIONS).on('*', other).on('orders.*', { include }, handled)
    const { status, body } = await receiver.receive(delivery(topic, document))
    const { outcome, error } = JSON.parse(body)
    expect(handled).toHaveBeenCalledTimes(outcome ? 1 : 0)
    expect(other).toHaveBeenCalledTimes(outcome ? 1 : 0)
    return { status, code: outcome ?? error.code, message: error?.message }
  }

  it.each<[string, readonly string[], object]>([
    ['an empty list of paths', [], { data: order() }],
    ['a relationship', ['customer'], CART],
    ['a relationship to many resources', ['line_items'], CART],
    ['relationships of list items', ['line_items.item', 'customer'], cartWith({ item: { data: item } })],
    [
      'relationships of the items of an empty list',
      ['line_items.item'],
      { data: order({ relationships: { line_items: { data: [] } } }) },
    ],
    ['a path that leads back to the order', ['line_items.order.customer'], CART],
    ['an optional relationship that is null', ['payment_method?', 'payment_method?.payment_gateway'], CART],
    ['an optional relationship of list items that is null', ['line_items.item?'], cartWith({ item: { data: null } })],
    ['an optional relationship that is present', ['customer?'], CART],
  ])('is satisfied by %s', async (_, include, document) => {
    expect(await deliverTo(include, document)).toMatchObject({ status: 200, code: 'handled' })
  })

  it.each<[string, readonly string[], object, string]>([
    ['a relationship with links only', ['customer', 'market'], CART, 'market'],
    ['an absent relationship', ['shipping_address'], CART, 'shipping_address'],
    ['an absent relationship of list items', ['line_items.item'], CART, 'line_items.item'],
    ['a relationship that is null', ['payment_method'], CART, 'payment_method'],
    [
      'a relationship of list items that is null',
      ['line_items.item'],
      cartWith({ item: { data: null } }),
      'line_items.item',
    ],
    ['an optional relationship with links only', ['market?'], CART, 'market?'],
    [
      'a relationship of a resource that was not included',
      ['line_items.item.prices'],
      cartWith({ item: { data: item } }),
      'line_items.item.prices',
    ],
    ['several missing relationships', ['market', 'customer', 'tags', 'market'], CART, 'market, tags'],
  ])('causes INCLUDE_MISSING for %s', async (_, include, document, missing) => {
    const answer = await deliverTo(include, document)
    expect(answer).toMatchObject({ status: 500, code: 'INCLUDE_MISSING' })
    expect(answer.message).toContain(`It needs ${missing}.`)
    expect(answer.message).toMatch(/apply the plan and trigger the event again/)
  })

  it('is checked for each handler, and no handler runs if one of them lacks a relationship', async () => {
    const first = vi.fn()
    const receiver = hooklayer
      .createReceiver(OPTIONS)
      .on('orders.place', first)
      .on('orders.place', { include: ['customer'] }, first)
      .on(['orders.place', 'orders.pay'], { include: ['tags'] }, first)
    const { body } = await receiver.receive(delivery('orders.place', CART))
    expect(JSON.parse(body).error.code).toBe('INCLUDE_MISSING')
    expect(first).not.toHaveBeenCalled()
  })

  it('is not checked for a destroyed resource', async () => {
    const gone = { data: { id: 'NrlYhpzLKA', type: 'orders' } }
    expect(await deliverTo(['customer'], gone, 'orders.destroy')).toMatchObject({ status: 200 })
  })

  it('causes an error that is not retryable, because a retry has the same body', async () => {
    const onError = vi.fn()
    const receiver = hooklayer.createReceiver(OPTIONS).on('orders.place', { include: ['tags'] }, () => {})
    await receiver.onError(onError).receive(delivery('orders.place', CART))
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: 'INCLUDE_MISSING', retryable: false })
  })
})

describe('registering a handler with an `include` throws', () => {
  it.each([
    ['when it is not a list', 'customer'],
    ['when it holds a malformed path', ['customer.']],
    ['when it holds an empty path', ['']],
    ['when it holds a number', [1]],
    ['when it holds a path in camel case', ['lineItems']],
    ['when it holds a path with `?` in the middle of a step', ['line_?items']],
    ['when it is null', null],
  ])('%s', (_, include) => {
    const receiver = createReceiver(OPTIONS)
    const on = () => receiver.on('orders.place', { include: include as never }, () => {})
    expect(on).toThrow(TypeError)
    expect(on).toThrow(/`include`/)
    expect(receiver.subscriptions()).toEqual([])
  })

  it('when the option is misspelled, or the options are null', () => {
    const options = { includes: ['customer'] } as object
    expect(() => createReceiver(OPTIONS).on('orders.place', options, () => {})).toThrow(/no option `includes`/)
    expect(() => createReceiver(OPTIONS).on('orders.place', null as never, () => {})).toThrow(TypeError)
  })
})

describe('the subscriptions of a receiver', () => {
  it('are the topics and includes of its handlers, in order of registration', () => {
    const include = ['customer', 'line_items.item?']
    const receiver = createReceiver(OPTIONS)
      .on('orders.place', { include }, () => {})
      .on(['customers.create', 'orders.*'], () => {})
      .on('*', {}, () => {})
    include.push('market')
    expect(receiver.subscriptions()).toEqual([
      { topics: ['orders.place'], include: ['customer', 'line_items.item?'] },
      { topics: ['customers.create', 'orders.*'], include: [] },
      { topics: ['*'], include: [] },
    ])
    expect(createReceiver(OPTIONS).subscriptions()).toEqual([])
  })

  it('have the limit of an attempt, and neither the handler nor its name', () => {
    const receiver = createReceiver(OPTIONS)
    receiver.on('orders.place', { name: 'erp', attemptTimeoutMs: 900_000 }, () => {})
    expect(receiver.subscriptions()).toEqual([{ topics: ['orders.place'], include: [], attemptTimeoutMs: 900_000 }])
    expect(() => receiver.on('orders.place', { attemptTimeoutMs: 0 }, () => {})).toThrow('`attemptTimeoutMs` must be')
  })
})

describe('an INCLUDE_MISSING error', () => {
  it('quotes nothing of the body', async () => {
    const receiver = createReceiver(OPTIONS).on('orders.place', { include: ['tags'] }, () => {})
    const error = await receiver.redeliver('orders.place', CART).catch((thrown: unknown) => thrown)
    expect(isWebhookError(error)).toBe(true)
    expect(String(error)).not.toContain('ada@example.com')
  })
})
