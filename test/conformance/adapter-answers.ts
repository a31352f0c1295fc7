import { PermanentError, type ReceiverOptions } from 'hooklayer'
import { beforeAll, describe, expect, it } from 'vitest'
import { customerText, orderText, SECRETS, type Sent, signatureOf, signed, withHeaders } from './deliveries.ts'
import { expectSameAnswer, type Scene, type Stage, send } from './scene.ts'

const order = signed('orders.place', orderText())
const genuine = signatureOf(order.body, SECRETS['orders.place'])

const signature = (value: string | undefined): Sent => withHeaders(order, { 'x-commercelayer-signature': value })
const topic = (value: string | undefined): Sent => withHeaders(order, { 'x-commercelayer-topic': value })
const document = (body: string): Sent => signed('orders.place', body)

const REFUSED: readonly (readonly [what: string, sent: Sent, status: number, code: string])[] = [
  ['no signature', signature(undefined), 401, 'SIGNATURE_MISSING'],
  ['an empty signature', signature(''), 401, 'SIGNATURE_MISSING'],
  ['a wrong signature', signature(signatureOf('{}', SECRETS['orders.place'])), 401, 'SIGNATURE_MISMATCH'],
  ['a truncated signature', signature(genuine.slice(0, -4)), 401, 'SIGNATURE_MISMATCH'],
  ['a signature in hex', signature(Buffer.from(genuine, 'base64').toString('hex')), 401, 'SIGNATURE_MISMATCH'],
  ['a doubled signature', signature(`${genuine}, ${genuine}`), 401, 'SIGNATURE_MISMATCH'],
  ['a topic without a secret', topic('orders.cancel'), 401, 'SECRET_UNKNOWN'],
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
  ['signed bytes that are not UTF-8', signed('orders.place', Buffer.from([0x7b, 0xff, 0x7d])), 400, 'DOCUMENT_INVALID'],
  [
    'an invalid byte that would decode to the U+FFFD that was signed',
    { ...document('{"\uFFFD":1}'), body: Buffer.from('{"\xff":1}', 'latin1') },
    401,
    'SIGNATURE_MISMATCH',
  ],
  ['a resource of another type than its topic', document(customerText()), 400, 'TOPIC_MISMATCH'],
]

/** What is answered, and that it is what the receiver answered, byte for byte. */
export function testAnswers({ serve, listen }: Stage): void {
  it('hands a genuine order to its handler, which sees typed fields of it and of what it includes', async () => {
    const { receiver, url, errors } = await serve()
    const seen: unknown[] = []
    receiver.on('orders.place', ({ topic, resource, mode }) => {
      seen.push([topic, resource.total_amount_float, resource.customer?.email, mode])
    })
    const answer = await expectSameAnswer({ receiver, url }, order)
    expect([answer.status, answer.text]).toEqual([200, '{"outcome":"handled"}'])
    const once = ['orders.place', 20, 'ada@example.com', 'test']
    expect(seen).toEqual([once, once])
    expect(errors).toEqual([])
  })

  describe('refuses', () => {
    let scene: Scene
    let handled = 0
    beforeAll(async () => {
      scene = await serve({ maxBodyBytes: 2000 })
      scene.receiver.on('*', () => {
        handled += 1
      })
    })

    it.each(REFUSED)('%s', async (_, sent, status, code) => {
      const answer = await expectSameAnswer(scene, sent)
      expect([answer.status, answer.body.error.code]).toEqual([status, code])
      expect(scene.errors.splice(0)).toEqual([code, code])
      expect(handled).toBe(0)
    })

    it.each(['get', 'put', 'patch', 'delete'] as const)('the method %s, and says which it allows', async (method) => {
      const answer = await expectSameAnswer(scene, order, method)
      expect(answer.status).toBe(405)
      expect(answer.headers.allow).toBe('POST')
      expect(answer.body.error.code).toBe('METHOD_NOT_ALLOWED')
      expect(handled).toBe(0)
    })
  })

  const outcomes: readonly (readonly [string, () => unknown, number, string])[] = [
    ['fails', () => Promise.reject(new Error('It broke')), 500, 'HANDLER_FAILED'],
    [
      'throws an error with a status of its own',
      raise(Object.assign(new Error(), { status: 404 })),
      500,
      'HANDLER_FAILED',
    ],
    ['throws a text with an emoji', raise('sëcret 💥'), 500, 'HANDLER_FAILED'],
    ['throws nothing', raise(undefined), 500, 'HANDLER_FAILED'],
    ['throws an error with an emoji', raise(new Error('sëcret 💥')), 500, 'HANDLER_FAILED'],
  ]
  it.each(outcomes)(
    'answers a handler that %s as a failure, and tells nothing of it',
    async (_, handler, status, code) => {
      const scene = await serve()
      scene.receiver.on('orders.place', handler)
      const answer = await expectSameAnswer(scene, order)
      expect([answer.status, answer.body]).toEqual([status, { error: { code, message: 'A handler failed.' } }])
      expect(scene.errors).toEqual([code, code])
    },
  )

  it('acknowledges a topic that nobody handles, known or unknown', async () => {
    const scene = await serve()
    const galaxy = signed('galaxies.explode', '{"data":{"id":"GaLaXyIdAa","type":"galaxies"}}')
    for (const sent of [order, galaxy]) {
      const answer = await expectSameAnswer(scene, sent)
      expect([answer.status, answer.text]).toEqual([200, '{"outcome":"ignored"}'])
    }
  })

  it('hands an unknown topic to the handler of every topic', async () => {
    const scene = await serve()
    const topics: string[] = []
    scene.receiver.on('*', ({ topic }) => topics.push(topic))
    const answer = await send(scene.url, signed('galaxies.explode', '{"data":{"id":"GaLaXyIdAa","type":"galaxies"}}'))
    expect([answer.status, topics]).toEqual([200, ['galaxies.explode']])
  })

  it('acknowledges what a handler discards', async () => {
    const scene = await serve()
    scene.receiver.on('orders.place', raise(new PermanentError('no such shop')))
    const answer = await expectSameAnswer(scene, order)
    expect([answer.status, answer.text]).toEqual([200, '{"outcome":"discarded"}'])
    expect(scene.errors).toEqual(['permanent', 'permanent'])
  })

  const unavailable: readonly (readonly [string, Partial<ReceiverOptions>, string])[] = [
    ['a handler that never ends', { deadlineMs: 100 }, 'DEADLINE_EXCEEDED'],
    ['secrets that cannot be looked up', { secrets: () => Promise.reject(new Error('down')) }, 'STORE_UNAVAILABLE'],
  ]
  it.each(unavailable)('answers %s 503, and says when to come back', async (_, options, code) => {
    const scene = await serve(options)
    scene.receiver.on('orders.place', () => new Promise(() => {}))
    const answer = await expectSameAnswer(scene, order)
    expect([answer.status, answer.body.error.code]).toEqual([503, code])
    expect(answer.headers['retry-after']).toBe('5')
  })

  it('answers 503 once the receiver is shutting down', async () => {
    const scene = await serve()
    await scene.receiver.close()
    const answer = await expectSameAnswer(scene, order)
    expect([answer.status, answer.body.error.code]).toEqual([503, 'SHUTTING_DOWN'])
  })

  it('counts the length of an answer in bytes', async () => {
    const body = '{"outcome":"händled 🎉"}'
    const url = await listen({
      receive: async () => ({ status: 200, headers: { 'content-type': 'application/json' }, body }),
    })
    const answer = await send(url, order)
    expect(answer.text).toBe(body)
    expect(answer.headers['content-length']).toBe(String(Buffer.byteLength(body)))
  })
}

function raise(thrown: unknown): () => never {
  return () => {
    throw thrown
  }
}
