import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { createEmulator, type EmulatedAnswer, type Emulator } from 'hooklayer/emulator'
import { createExpressMiddleware } from 'hooklayer/express'
import { createResponder, type ExternalResourceKind, refuse } from 'hooklayer/responder'
import { TEST_SECRET } from 'hooklayer/testing'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createLines } from '../responder/harness.ts'

const KINDS: readonly ExternalResourceKind[] = ['prices', 'order-validation', 'shipping-cost', 'promotion', 'tax']
const { logger, lines } = createLines()
const options = { secret: TEST_SECRET, logger }

let emulator: Emulator
let server: Server
let url: string
/** The answer of `/raw`. */
let raw: { readonly status: number; readonly text: string }

beforeAll(async () => {
  const app = express()
  const mounted = {
    prices: createResponder('prices', options, () => ({ unit_amount_cents: 4900 })),
    'order-validation': createResponder('order-validation', options, ({ resource: order }) =>
      order.line_items.length > 2 ? {} : refuse('TOO_FEW', 'Please order more.'),
    ),
    'shipping-cost': createResponder('shipping-cost', options, () => ({ unit_amount_cents: 1500 })),
    promotion: createResponder('promotion', options, ({ resource: order }) => ({
      name: 'Ten',
      line_items: order.line_items.slice(0, 2).map(({ id }) => ({ id, discount_cents: 100 })),
    })),
    tax: createResponder('tax', options, ({ resource: order }) => ({
      tax_rate: 0.2,
      line_items: order.line_items.map(({ id, total_amount_float }) => ({
        id,
        tax_collectable: total_amount_float / 5,
      })),
    })),
  }
  for (const [kind, responder] of Object.entries(mounted)) app.post(`/${kind}`, createExpressMiddleware(responder))
  app.post('/raw', (_, response) => void response.status(raw.status).type('json').send(raw.text))
  server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  emulator = await createEmulator({ secret: TEST_SECRET, maxEventCallbacks: 10 })
})
afterAll(async () => {
  await emulator.close()
  server.closeAllConnections()
  server.close()
})

it('tells `onAnswer` of each answer, also where none came, and goes on when that throws', async () => {
  const answers: EmulatedAnswer[] = []
  const warnings: string[] = []
  const telling = await createEmulator({
    secret: TEST_SECRET,
    logger: { warn: (message) => warnings.push(message) },
    onAnswer(answer) {
      answers.push(answer)
      throw new Error('broken')
    },
  })
  onTestFinished(() => telling.close())
  telling.addHolder('shipping-cost', `${url}/shipping-cost`)
  telling.addHolder('tax', 'http://127.0.0.1:1/')
  expect([await telling.ask('shipping-cost'), await telling.ask('tax')]).toEqual(answers)
  expect(answers.map(({ outcome }) => outcome)).toEqual(['accepted', 'unanswered'])
  expect(warnings).toEqual(['`onAnswer` failed: broken', '`onAnswer` failed: broken'])
})

describe('the circle: the emulator asks, and an Express shop answers', () => {
  it.each(KINDS)('%s', async (kind) => {
    const holder = emulator.addHolder(kind, `${url}/${kind}`)
    expect(holder).toMatchObject({ kind, shared_secret: TEST_SECRET, circuit_state: 'closed' })
    const answer = await emulator.ask(kind)
    expect([answer.outcome, answer.status, answer.problem, answer.fallback]).toEqual([
      'accepted',
      200,
      undefined,
      undefined,
    ])
    expect(emulator.answers).toContain(answer)
    expect(lines).toEqual([])
  })

  it('takes a refusal as one, and gives its message', async () => {
    emulator.addHolder('order-validation', `${url}/order-validation`)
    const line = { type: 'line_items', id: 'line' }
    const resource = { type: 'orders', id: 'order', line_items: [line], market: { type: 'markets', id: 'market' } }
    const answer = await emulator.ask('order-validation', { resource })
    expect(answer).toMatchObject({
      outcome: 'refused',
      status: 422,
      error: { code: 'TOO_FEW', message: 'Please order more.' },
    })
    expect(answer.fallback).toContain('422')
  })

  it('is answered 401 by a responder with another secret, which counts as a refusal', async () => {
    const { id } = emulator.addHolder('tax', `${url}/tax`, { secret: 'another secret of 16' })
    const answer = await emulator.ask('tax', { holderId: id })
    expect(answer).toMatchObject({ outcome: 'refused', status: 401, error: { code: 'SIGNATURE_MISMATCH' } })
  })
})

const success = (data: unknown) => JSON.stringify({ success: true, data })

describe('the emulator finds out', () => {
  const WRONG: readonly (readonly [ExternalResourceKind, status: number, text: string, problem: string])[] = [
    ['tax', 200, 'no JSON', 'The answer is not a JSON object.'],
    ['tax', 200, '{}', 'The answer has no `success` and `data`.'],
    ['tax', 404, '{}', 'The answer has no `error`.'],
    ['tax', 200, success({}), '`data` has no tax.'],
    ['tax', 200, success({ tax_rate: 22 }), '`data.tax_rate` is not from 0 to 1.'],
    ['tax', 200, success({ line_items: {} }), '`data.line_items` is not a list of objects.'],
    ['tax', 200, success({ line_items: [null] }), '`data.line_items` is not a list of objects.'],
    [
      'tax',
      200,
      success({ line_items: [{ id: 'a' }, { id: 'b', tax_rate: 22 }] }),
      '`data.line_items[1].tax_rate` is not from 0 to 1.',
    ],
    [
      'tax',
      200,
      success({ line_items: [{ id: 'stranger', tax_rate: 0.1 }] }),
      '`data.line_items[0].id` is not that of a line of the request.',
    ],
    ['prices', 200, success({ unit_amount_cents: 49.5 }), '`data.unit_amount_cents` is not a number of cents.'],
    [
      'prices',
      200,
      success({ unit_amount_cents: 49, sku_code: 'ANOTHER' }),
      '`data.sku_code` is not that of the line item.',
    ],
    ['shipping-cost', 200, success({ cost: 5 }), '`data` has no number of cents.'],
    ['promotion', 200, success({ discount_cents: 5 }), '`data.name` is not text.'],
    ['promotion', 200, success({ name: 'Ten' }), '`data.discount_cents` is missing.'],
    ['promotion', 200, success({ name: 'Ten', line_items: 5 }), '`data.line_items` is not a list of objects.'],
    ['promotion', 200, success({ name: 'Ten', line_items: [{ id: 'a' }] }), '`data.discount_cents` is missing.'],
    [
      'promotion',
      200,
      success({ name: 'Ten', line_items: [{ id: 'a', discount_cents: 1 }, { id: 'b' }] }),
      '`data.line_items[1].discount_cents` is missing. Only some lines have one.',
    ],
    [
      'promotion',
      200,
      success({ name: 'Ten', line_items: [{ id: 'a', discount_cents: 0.5 }] }),
      '`data.line_items[0].discount_cents` is not a number of cents.',
    ],
    [
      'promotion',
      200,
      success({ name: 'Ten', discount_cents: 5, line_items: [{ id: 'a' }] }),
      '`data.line_items[0].id` is not that of a line of the request.',
    ],
  ]

  it.each(WRONG)('that an answer of %s is malformed: %s %s', async (kind, status, text, problem) => {
    raw = { status, text }
    const { id } = emulator.addHolder(kind, `${url}/raw`)
    const answer = await emulator.ask(kind, { holderId: id })
    expect([answer.outcome, answer.status]).toEqual(['malformed', status])
    expect(answer.problem).toBe(problem)
    expect(emulator.holders.find((holder) => holder.id === id)?.circuit_failure_count).toBe(0)
  })

  it('that a tax is over the amount of its line', async () => {
    const { id } = emulator.addHolder('tax', `${url}/raw`)
    raw = { status: 500, text: '' }
    const { request } = await emulator.ask('tax', { holderId: id })
    const line = request.included?.find(({ type }) => type === 'line_items')
    raw = { status: 200, text: success({ line_items: [{ id: line?.id, tax_collectable: 900 }] }) }
    expect((await emulator.ask('tax', { holderId: id })).problem).toBe(
      '`data.line_items[0].tax_collectable` is over the amount of its line.',
    )
  })
})

describe('a circuit', () => {
  const ask = (holderId: string, kind: ExternalResourceKind, resource = {}): Promise<EmulatedAnswer> =>
    emulator.ask(kind, { holderId, resource })

  it('opens after more than 30 failures in a row, and is closed by a reset alone', async () => {
    const { id } = emulator.addHolder('shipping-cost', `${url}/raw`, { priceAmountCents: 990 })
    raw = { status: 500, text: '' }
    for (let i = 0; i < 30; i++) expect(await ask(id, 'shipping-cost')).toMatchObject({ outcome: 'unanswered' })
    raw = { status: 200, text: success({ unit_amount_cents: 1 }) }
    expect(await ask(id, 'shipping-cost')).toMatchObject({ outcome: 'accepted' })
    raw = { status: 503, text: '' }
    for (let i = 0; i < 31; i++) await ask(id, 'shipping-cost')
    raw = { status: 200, text: success({ unit_amount_cents: 1 }) }
    const skipped = await ask(id, 'shipping-cost')
    expect(skipped).toMatchObject({ outcome: 'skipped', status: undefined })
    expect(skipped.fallback).toContain('990 cents')
    emulator.resetCircuit(id)
    expect(await ask(id, 'shipping-cost')).toMatchObject({ outcome: 'accepted' })
  })

  it('of prices is that of the line item', async () => {
    const { id } = emulator.addHolder('prices', `${url}/raw`)
    raw = { status: 500, text: '' }
    const lineOf = (line: string) => ({ id: line })
    for (let i = 0; i < 31; i++) await ask(id, 'prices', lineOf('one'))
    expect((await ask(id, 'prices', lineOf('one'))).outcome).toBe('skipped')
    expect((await ask(id, 'prices', lineOf('two'))).outcome).toBe('unanswered')
    const { circuits } = emulator.holders.find((holder) => holder.id === id) ?? {}
    expect(circuits).toEqual([
      { id: 'one', type: 'line_items', circuit_state: 'open', circuit_failure_count: 32 },
      { id: 'two', type: 'line_items', circuit_state: 'closed', circuit_failure_count: 1 },
    ])
  })

  it('counts what is not answered in time', async () => {
    const slow = await createEmulator({ timeoutMs: 50 })
    const app = express()
    app.post('/', () => {})
    const silent = app.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { id } = slow.addHolder('promotion', `http://127.0.0.1:${(silent.address() as AddressInfo).port}`)
    const problem = 'No answer within 50 ms.'
    expect(await slow.ask('promotion')).toMatchObject({ outcome: 'unanswered', status: undefined, problem })
    expect(slow.holders).toMatchObject([{ id, circuit_failure_count: 1, circuits: [] }])
    await slow.close()
    silent.closeAllConnections()
    silent.close()
  })
})

describe('what is asked', () => {
  it('is a sample, which can be looked at before', async () => {
    emulator.addHolder('tax', `${url}/tax`)
    const sample = emulator.sample('tax')
    const { request, askedAt, id } = await emulator.ask('tax')
    expect(request.data).toMatchObject({ type: 'orders', id: sample.id })
    expect(sample).toHaveProperty('shipping_address.country_code')
    expect(Date.now() - Date.parse(askedAt)).toBeLessThan(5000)
    expect(emulator.answers.filter((answer) => answer.id === id)).toHaveLength(1)
    expect(() => emulator.sample('taxes')).toThrow('is not a topic')
  })

  it('may be the document of an earlier answer', async () => {
    const { id } = emulator.addHolder('tax', `${url}/tax`)
    const first = await emulator.ask('tax', { resource: { number: '4711' } })
    const again = await emulator.ask('tax', { holderId: id, document: first.request })
    expect(again).toMatchObject({ outcome: 'accepted', data: first.data, request: first.request })
    expect(again.id).not.toBe(first.id)
    await expect(emulator.ask('tax', { document: { data: null } })).rejects.toThrow('ask: the document must be')
  })

  it('is answered with what a responder says of an error of its own', async () => {
    emulator.addHolder('promotion', `${url}/raw`)
    const error = { code: 'HANDLER_FAILED', message: 'A handler failed.' }
    raw = { status: 500, text: JSON.stringify({ success: false, error }) }
    expect(await emulator.ask('promotion')).toMatchObject({ outcome: 'unanswered', status: 500, error })
    expect((await emulator.ask('promotion')).problem).toBeUndefined()
  })
})

it('throws for a holder that cannot be, and one that is not there', async () => {
  expect(() => emulator.addHolder('payment' as 'tax', url)).toThrow('The kind must be one of prices')
  expect(() => emulator.addHolder('tax', 'ftp://example.com')).toThrow('must be an HTTP or HTTPS URL')
  expect(() => emulator.addHolder('tax', url, { secret: 'short' })).toThrow('16 characters')
  expect(() => emulator.resetCircuit('none')).toThrow('there is no webhook and no holder')
  const empty = await createEmulator()
  await expect(empty.ask('tax')).rejects.toThrow('Nothing holds `tax`')
  await empty.close()
})

it('keeps the last answers, up to `maxEventCallbacks`', async () => {
  expect(emulator.answers).toHaveLength(10)
})
