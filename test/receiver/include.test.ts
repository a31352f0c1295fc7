import { createReceiver, isWebhookError, type ReceiverOptions } from 'hooklayer'
import { describe, expect, it, vi } from 'vitest'
import { CART, delivery, order, recordingLogger, SECRET } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'

const { logger } = recordingLogger()
const OPTIONS: ReceiverOptions = { secrets: () => SECRET, logger }
const [customer, line] = CART.included
const item = { type: 'skus', id: 'aBcDeFgHiJ' }

/** The order of {@link CART}, its one line item with these relationships. */
function cartWith(relationships: Record<string, unknown>): object {
  return { ...CART, included: [customer, { ...line, relationships }, { ...item, attributes: { code: 'MUG' } }] }
}

describe.each(await inBothRuntimes(() => import('hooklayer')))('what a handler includes, on %s,', (_, hooklayer) => {
  async function answerTo(include: readonly string[], document: object, topic = 'orders.place') {
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
    ['nothing', [], { data: order() }],
    ['a relationship', ['customer'], CART],
    ['a list', ['line_items'], CART],
    ['what is behind a list', ['line_items.item', 'customer'], cartWith({ item: { data: item } })],
    [
      'what is behind an empty list',
      ['line_items.item'],
      { data: order({ relationships: { line_items: { data: [] } } }) },
    ],
    ['what leads back', ['line_items.order.customer'], CART],
    ['what there may be none of', ['payment_method?', 'payment_method?.payment_gateway'], CART],
    ['what there may be none of behind a list', ['line_items.item?'], cartWith({ item: { data: null } })],
    ['what there may be none of, and is', ['customer?'], CART],
  ])('is there: %s', async (_, include, document) => {
    expect(await answerTo(include, document)).toMatchObject({ status: 200, code: 'handled' })
  })

  it.each<[string, readonly string[], object, string]>([
    ['links only', ['customer', 'market'], CART, 'market'],
    ['nothing at all', ['shipping_address'], CART, 'shipping_address'],
    ['nothing behind a list', ['line_items.item'], CART, 'line_items.item'],
    ['null', ['payment_method'], CART, 'payment_method'],
    ['null behind a list', ['line_items.item'], cartWith({ item: { data: null } }), 'line_items.item'],
    ['links only, though there may be none', ['market?'], CART, 'market?'],
    [
      'no attributes of what it points at',
      ['line_items.item.prices'],
      cartWith({ item: { data: item } }),
      'line_items.item.prices',
    ],
    ['several', ['market', 'customer', 'tags', 'market'], CART, 'market, tags'],
  ])('is missing: %s', async (_, include, document, missing) => {
    const answer = await answerTo(include, document)
    expect(answer).toMatchObject({ status: 500, code: 'INCLUDE_MISSING' })
    expect(answer.message).toContain(`It needs ${missing}.`)
    expect(answer.message).toMatch(/apply the plan and trigger the event again/)
  })

  it('is asked for by each handler, and one that lacks something keeps all from running', async () => {
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

  it('is not asked of what was destroyed', async () => {
    const gone = { data: { id: 'NrlYhpzLKA', type: 'orders' } }
    expect(await answerTo(['customer'], gone, 'orders.destroy')).toMatchObject({ status: 200 })
  })

  it('would not be there if the same were fired again', async () => {
    const told = vi.fn()
    const receiver = hooklayer.createReceiver(OPTIONS).on('orders.place', { include: ['tags'] }, () => {})
    await receiver.onError(told).receive(delivery('orders.place', CART))
    expect(told.mock.calls[0]?.[0]).toMatchObject({ code: 'INCLUDE_MISSING', retryable: false })
  })
})

describe('an include is refused', () => {
  it.each([
    ['when it is no list', 'customer'],
    ['when it is no path', ['customer.']],
    ['when it is empty', ['']],
    ['when it is no text', [1]],
    ['when it is written otherwise', ['lineItems']],
    ['when its mark is in the middle', ['line_?items']],
    ['when it is null', null],
  ])('%s', (_, include) => {
    const receiver = createReceiver(OPTIONS)
    const on = () => receiver.on('orders.place', { include: include as never }, () => {})
    expect(on).toThrow(TypeError)
    expect(on).toThrow(/`include`/)
    expect(receiver.subscriptions()).toEqual([])
  })

  it('with the name of an option that does not exist', () => {
    const options = { includes: ['customer'] } as object
    expect(() => createReceiver(OPTIONS).on('orders.place', options, () => {})).toThrow(/no option `includes`/)
    expect(() => createReceiver(OPTIONS).on('orders.place', null as never, () => {})).toThrow(TypeError)
  })
})

describe('the subscriptions of a receiver', () => {
  it('are what its handlers listen to and need, in their order', () => {
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
})

describe('an error that names what is missing', () => {
  it('holds nothing of the body', async () => {
    const receiver = createReceiver(OPTIONS).on('orders.place', { include: ['tags'] }, () => {})
    const error = await receiver.redeliver('orders.place', CART).catch((thrown: unknown) => thrown)
    expect(isWebhookError(error)).toBe(true)
    expect(String(error)).not.toContain('ada@example.com')
  })
})
