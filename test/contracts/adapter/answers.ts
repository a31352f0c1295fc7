import { beforeAll, describe, expect, it } from 'vitest'
import { signed as signatureOf, withHeaders } from '../../deliveries.ts'
import { waitFor } from '../../wait-for.ts'
import { customerText, HANDLED, ORDER, orderText, type Sent, sentAs } from './deliveries.ts'
import { expectLength, type RemoteReceiver, send } from './harness.ts'
import type { Host } from './host.ts'
import { type HandlerName, NOT_ASCII, type Scenario } from './receiver-under-test.ts'
import { SECRETS } from './secrets.ts'

const order = sentAs('orders.place', orderText())
const galaxy = sentAs('galaxies.explode', '{"data":{"id":"GaLaXyIdAa","type":"galaxies"}}')
const genuine = signatureOf(order.body, SECRETS['orders.place'])

const signature = (value: string | undefined): Sent => withHeaders(order, { 'x-commercelayer-signature': value })
const topic = (value: string | undefined): Sent => withHeaders(order, { 'x-commercelayer-topic': value })
const document = (body: string): Sent => sentAs('orders.place', body)

const REFUSED: readonly (readonly [what: string, sent: Sent, status: number, code: string])[] = [
  ['no signature', signature(undefined), 401, 'SIGNATURE_MISSING'],
  ['an empty signature', signature(''), 401, 'SIGNATURE_MISSING'],
  ['a wrong signature', signature(signatureOf('{}', SECRETS['orders.place'])), 401, 'SIGNATURE_MISMATCH'],
  ['a truncated signature', signature(genuine.slice(0, -4)), 401, 'SIGNATURE_MISMATCH'],
  ['a signature in hex', signature(Buffer.from(genuine, 'base64').toString('hex')), 401, 'SIGNATURE_MISMATCH'],
  ['a doubled signature', signature(`${genuine}, ${genuine}`), 401, 'SIGNATURE_MISMATCH'],
  ["another topic's secret", topic('orders.create'), 401, 'SIGNATURE_MISMATCH'],
  ['no topic', topic(undefined), 400, 'TOPIC_MISSING'],
  ['a malformed topic', topic('orders/place'), 400, 'TOPIC_INVALID'],
  ['the name of an object’s property as its topic', topic('__proto__'), 400, 'TOPIC_INVALID'],
  ['a forged empty body', { ...signature(genuine), body: Buffer.alloc(0) }, 401, 'SIGNATURE_MISMATCH'],
  ['a signed empty body', document(''), 400, 'DOCUMENT_INVALID'],
  ['signed text that is not JSON', document('not json'), 400, 'DOCUMENT_INVALID'],
  ['signed JSON that is cut off', document(orderText().slice(0, 100)), 400, 'DOCUMENT_INVALID'],
  ['signed JSON that is no JSON:API document', document('{"hello":"world"}'), 400, 'DOCUMENT_INVALID'],
  ['signed `data` that is null', document('{"data":null}'), 400, 'DOCUMENT_INVALID'],
  ['signed `data` that is a list', document('{"data":[]}'), 400, 'DOCUMENT_INVALID'],
  ['a signed byte order mark', document(`\uFEFF${orderText()}`), 400, 'DOCUMENT_INVALID'],
  ['signed bytes that are not UTF-8', sentAs('orders.place', Buffer.from([0x7b, 0xff, 0x7d])), 400, 'DOCUMENT_INVALID'],
  [
    'an invalid byte that would decode to the U+FFFD that was signed',
    { ...document('{"\uFFFD":1}'), body: Buffer.from('{"\xff":1}', 'latin1') },
    401,
    'SIGNATURE_MISMATCH',
  ],
  ['a resource of another type than its topic', document(customerText()), 400, 'TOPIC_MISMATCH'],
]

const FAILURES: readonly HandlerName[] = [
  'fails',
  'throws an error with a status of its own',
  'throws a text with an emoji',
  'throws nothing',
  'throws an error with an emoji',
]

const UNAVAILABLE: readonly (readonly [what: string, scenario: Scenario, code: string])[] = [
  ['a handler that never ends', { handler: 'never ends', limits: { deadlineMs: 100 } }, 'DEADLINE_EXCEEDED'],
  ['secrets that cannot be looked up', { secrets: 'unavailable' }, 'STORE_UNAVAILABLE'],
]

/** The answers to all kinds of deliveries: each is what the receiver answered, byte for byte. */
export function testAnswers({ open, needs }: Host): void {
  it('passes a genuine order to its handler, with typed fields of the order and of its included resources', async () => {
    const remote = await open()
    const answer = await remote.expectSameAnswer(order)
    expect([answer.status, answer.text]).toEqual([200, HANDLED])
    const { events, errors } = await remote.observed()
    const [event] = events
    expect(event).toMatchObject({ topic: 'orders.place', amount: 20, email: 'ada@example.com', mode: 'test' })
    expect([events.length, errors]).toEqual([1, []])
  })

  describe('refuses', () => {
    let remote: RemoteReceiver
    beforeAll(async () => {
      remote = await open({ on: '*', limits: { maxBodyBytes: 2000 } })
    })

    it.each(REFUSED)('%s', async (_, sent, status, code) => {
      const answer = await remote.expectSameAnswer(sent)
      expect([answer.status, answer.body.error.code]).toEqual([status, code])
      // A mismatch is reported after its answer.
      await waitFor(async () => {
        const { events, errors } = await remote.observed()
        expect([events, errors.at(-1)]).toEqual([[], code])
      })
    })

    it('a topic without a secret like a wrong signature, so that a stranger does not learn which topics there are', async () => {
      const forged = await remote.expectSameAnswer(signature(signatureOf('{}', SECRETS['orders.place'])))
      const answer = await remote.expectSameAnswer(topic('orders.cancel'))
      expect([answer.status, answer.text]).toEqual([forged.status, forged.text])
      expect(answer.body.error.code).toBe('SIGNATURE_MISMATCH')
      await waitFor(async () => expect((await remote.observed()).errors).toContain('SECRET_UNKNOWN'))
    })

    for (const method of ['get', 'put', 'patch', 'delete'] as const) {
      needs('every method')(`the method ${method}, and names the allowed one`, async () => {
        const answer = await remote.expectSameAnswer(order, method)
        expect([answer.status, answer.headers.allow]).toEqual([405, 'POST'])
        expect(answer.body.error.code).toBe('METHOD_NOT_ALLOWED')
        expect((await remote.observed()).events).toEqual([])
      })
    }
  })

  it.each(FAILURES)('answers 500 if a handler %s, without any detail of the error', async (handler) => {
    const remote = await open({ handler })
    const answer = await remote.expectSameAnswer(order)
    const error = { code: 'HANDLER_FAILED', message: 'A handler failed.' }
    expect([answer.status, answer.body]).toEqual([500, { error }])
    expect((await remote.observed()).errors).toEqual(['HANDLER_FAILED'])
  })

  it.each([
    ['known', order],
    ['unknown', galaxy],
  ])('acknowledges a topic that is %s, but has no handler', async (_, sent) => {
    const remote = await open({ on: 'nothing' })
    const answer = await remote.expectSameAnswer(sent)
    expect([answer.status, answer.text]).toEqual([200, '{"outcome":"ignored"}'])
  })

  it('passes an unknown topic to the handler of every topic', async () => {
    const remote = await open({ on: '*' })
    const answer = await remote.expectSameAnswer(galaxy)
    const { events } = await remote.observed()
    expect([answer.status, events.map(({ topic }) => topic)]).toEqual([200, ['galaxies.explode']])
  })

  it('gives no handler a `rawBody` that is a view of a buffer with other bytes', async () => {
    const remote = await open({ on: '*' })
    for (const sent of [galaxy, order]) await remote.expectSameAnswer(sent)
    const { events } = await remote.observed()
    expect(events).toHaveLength(2)
    for (const { bytes, bufferBytes } of events) expect(bufferBytes).toBe(bytes)
  })

  it('acknowledges what a handler discards', async () => {
    const remote = await open({ handler: 'throws a PermanentError' })
    const answer = await remote.expectSameAnswer(order)
    expect([answer.status, answer.text]).toEqual([200, '{"outcome":"discarded"}'])
    expect((await remote.observed()).errors).toEqual(['permanent'])
  })

  it.each(UNAVAILABLE)('answers 503 with `retry-after` for %s', async (_, scenario, code) => {
    const remote = await open(scenario)
    const answer = await remote.expectSameAnswer(order)
    expect([answer.status, answer.body.error.code]).toEqual([503, code])
    expect(answer.headers['retry-after']).toBe('5')
  })

  it('answers 503 while the receiver is shutting down', async () => {
    const remote = await open()
    await remote.close()
    const answer = await remote.expectSameAnswer(order)
    expect([answer.status, answer.body.error.code]).toEqual([503, 'SHUTTING_DOWN'])
  })

  it('counts the length of an answer in bytes', async () => {
    const answer = await send(await open({ answer: 'not ASCII' }), ORDER)
    expect(answer.text).toBe(NOT_ASCII.body)
    expectLength(answer)
  })
}
