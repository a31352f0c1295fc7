import { setTimeout as sleep } from 'node:timers/promises'
import { createReceiver, type ErrorHandler, type Receiver, type ReceiverOptions } from 'hooklayer'
import type { WebhookResponse } from 'hooklayer/drivers'
import { describe, expect, it, vi } from 'vitest'
import {
  bytes,
  CART,
  delivery,
  nested,
  OTHER_SECRET,
  order,
  recordingLogger,
  SECRET,
  signed,
  thrownBy,
  withHeaders,
} from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'
import { waitFor } from '../wait-for.ts'

const { logger: silent } = recordingLogger()
const SECRETS = { 'orders.place': SECRET, 'orders.pay': OTHER_SECRET, 'customers.create': SECRET }
const request = delivery('orders.place', CART)
const signature = signed(request.body)

function receiverWith(options: Partial<ReceiverOptions> = {}): Receiver {
  return createReceiver({ secrets: SECRETS, logger: silent, ...options })
}

function readAnswer({ status, body }: WebhookResponse): unknown {
  const answer = JSON.parse(body)
  return [status, answer.outcome ?? answer.error.code]
}

describe.each(await inBothRuntimes(() => import('hooklayer')))('a receiver on %s', (_, hooklayer) => {
  const receiver = hooklayer.createReceiver({ secrets: SECRETS, logger: silent })
  const handled = vi.fn()
  receiver.on('orders.place', handled)
  const answerTo = async (...args: Parameters<typeof receiver.receive>) => {
    handled.mockClear()
    const answer = readAnswer(await receiver.receive(...args))
    expect(handled).toHaveBeenCalledTimes((answer as unknown[])[1] === 'handled' ? 1 : 0)
    return answer
  }
  const invalid = (body: string | Uint8Array, topic = 'orders.place') => answerTo(delivery(topic, body))

  it('passes a genuine delivery to its handler, verified, parsed and linked', async () => {
    expect(await answerTo(request)).toEqual([200, 'handled'])
    const [event, { signal }] = handled.mock.calls[0] ?? []
    expect(event.topic).toBe('orders.place')
    expect(event.resource.customer.email).toBe('ada@example.com')
    expect(event.resource.line_items[0].order).toBe(event.resource)
    expect(event).toMatchObject({ mode: 'test', organizationId: 'wRPpEFOElR', rawBody: request.body })
    expect(signal.aborted).toBe(false)
  })

  it('accepts text that is not ASCII', async () => {
    const document = { data: order({ attributes: { name: 'Grüße 👍🏽 日本語' } }) }
    expect(await answerTo(delivery('orders.place', document))).toEqual([200, 'handled'])
    expect(handled.mock.calls[0]?.[0].resource.name).toBe('Grüße 👍🏽 日本語')
  })

  it('accepts numbers as Commerce Layer writes them, although JSON.stringify would not', async () => {
    const body = '{"data":{"id":"a","type":"orders","attributes":{"total_amount_float":20.0,"url":"a\\u0026b"}}}'
    expect(await invalid(body)).toEqual([200, 'handled'])
    expect(handled.mock.calls[0]?.[0].resource).toMatchObject({ total_amount_float: 20, url: 'a&b' })
  })

  it('accepts a body as bytes, as text, or as a function that reads it', async () => {
    const text = new TextDecoder().decode(request.body)
    for (const body of [request.body, text, async () => request.body, async () => text, Buffer.from(request.body)]) {
      expect(await answerTo({ ...request, body })).toEqual([200, 'handled'])
    }
  })

  it('accepts headers in any shape', async () => {
    const { headers } = request
    const upper = Object.entries(headers).map(([name, value]): [string, string] => [name.toUpperCase(), value])
    const lists = Object.fromEntries(upper.map(([name, value]) => [name, [value]]))
    for (const shape of [new Headers(headers), upper, new Map(upper), Object.fromEntries(upper), lists]) {
      expect(await answerTo({ ...request, headers: shape })).toEqual([200, 'handled'])
    }
  })

  it('refuses repeated headers in any shape', async () => {
    for (const name of ['x-commercelayer-signature', 'x-commercelayer-topic'] as const) {
      const value = request.headers[name] ?? ''
      const fetched = new Headers(request.headers)
      fetched.append(name, value)
      const entries: [string, string][] = [...Object.entries(request.headers), [name.toUpperCase(), value]]
      const refused = name === 'x-commercelayer-topic' ? [400, 'TOPIC_INVALID'] : [401, 'SIGNATURE_MISMATCH']
      for (const headers of [fetched, entries, new Map(entries), { ...request.headers, [name]: [value, value] }]) {
        expect(await answerTo({ ...request, headers })).toEqual(refused)
      }
    }
  })

  it.each(['GET', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', ''])(
    'answers 405 to the method %j, with an Allow header',
    async (method) => {
      const { status, headers } = await receiver.receive({ ...request, method })
      expect([status, headers.allow]).toEqual([405, 'POST'])
    },
  )

  it.each([
    ['no signature', undefined, 'SIGNATURE_MISSING'],
    ['an empty signature', '', 'SIGNATURE_MISSING'],
    ['a signature by another secret', signed(request.body, 'forged'), 'SIGNATURE_MISMATCH'],
    ['a signature by the secret of another topic', signed(request.body, OTHER_SECRET), 'SIGNATURE_MISMATCH'],
    ['a signature by an empty secret', signed(request.body, ''), 'SIGNATURE_MISMATCH'],
    ['the signature of other bytes', signed(`${request.body} `), 'SIGNATURE_MISMATCH'],
    ['a truncated signature', signature.slice(0, -1), 'SIGNATURE_MISMATCH'],
    ['a signature of one character', signature.slice(0, 1), 'SIGNATURE_MISMATCH'],
    ['a signature in hex', Buffer.from(signature, 'base64').toString('hex'), 'SIGNATURE_MISMATCH'],
    ['a doubled signature', signature + signature, 'SIGNATURE_MISMATCH'],
    ['a list of signatures', `${signature}, ${signature}`, 'SIGNATURE_MISMATCH'],
    ['a signature with a prefix', `sha256=${signature}`, 'SIGNATURE_MISMATCH'],
    ['a signature in Latin 1', 'ümläut', 'SIGNATURE_MISMATCH'],
    ['a signature of emojis', '👍'.repeat(22), 'SIGNATURE_MISMATCH'],
    [
      'a signature in full-width letters',
      signature.replace(/[A-Z]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0)),
      'SIGNATURE_MISMATCH',
    ],
    ['a signature of control characters', '\0'.repeat(44), 'SIGNATURE_MISMATCH'],
    ['a very long signature', 'A'.repeat(100_000), 'SIGNATURE_MISMATCH'],
  ])('answers 401 to a request with %s', async (_, forged, code) => {
    expect(await answerTo(withHeaders(request, { 'x-commercelayer-signature': forged }))).toEqual([401, code])
  })

  it.each([
    ['no topic', undefined, 400, 'TOPIC_MISSING'],
    ['an empty topic', '', 400, 'TOPIC_MISSING'],
    ['a malformed topic', 'orders/place', 400, 'TOPIC_INVALID'],
    ['a topic with a line break', 'orders.place\n', 400, 'TOPIC_INVALID'],
    ['a topic that has no secret', 'orders.cancel', 401, 'SIGNATURE_MISMATCH'],
    ['a topic that objects inherit', 'constructor.prototype', 400, 'TOPIC_INVALID'],
    ['a topic that has another secret, as in a replay', 'orders.pay', 401, 'SIGNATURE_MISMATCH'],
    [
      'a topic that has the same secret but another resource, as in a replay',
      'customers.create',
      400,
      'TOPIC_MISMATCH',
    ],
  ])('refuses a request with %s', async (_, topic, status, code) => {
    expect(await answerTo(withHeaders(request, { 'x-commercelayer-topic': topic }))).toEqual([status, code])
  })

  it('answers 413 to a body over the limit, and does not read it when its content-length shows that', async () => {
    const small = hooklayer.createReceiver({ secrets: SECRETS, logger: silent, maxBodyBytes: request.body.length - 1 })
    const read = vi.fn(async () => request.body)
    const announced = withHeaders(request, { 'content-length': `${request.body.length}` })
    expect(readAnswer(await small.receive({ ...announced, body: read }))).toEqual([413, 'BODY_TOO_LARGE'])
    expect(read).not.toHaveBeenCalled()
    for (const body of [request.body, read]) {
      expect(readAnswer(await small.receive({ ...request, body }))).toEqual([413, 'BODY_TOO_LARGE'])
    }
    expect(read.mock.calls).toEqual([[expect.objectContaining({ maxBytes: request.body.length - 1 })]])
  })

  it.each(['gzip', 'br', 'deflate, gzip', 'x-custom'])('answers 415 to the content-encoding %s', async (encoding) => {
    expect(await answerTo(withHeaders(request, { 'content-encoding': encoding }))).toEqual([
      415,
      'ENCODING_UNSUPPORTED',
    ])
  })

  it('answers 408 to a body that does not arrive', async () => {
    const shortTimeout = hooklayer.createReceiver({ secrets: SECRETS, logger: silent, bodyTimeoutMs: 10 })
    const stalled = { ...request, body: () => new Promise<Uint8Array>(() => {}) }
    expect(readAnswer(await shortTimeout.receive(stalled))).toEqual([408, 'BODY_TIMEOUT'])
  })

  it('answers 400 to a body that was cut off', async () => {
    const aborted = () => Promise.reject(new hooklayer.WebhookError('BODY_ABORTED'))
    expect(await answerTo({ ...request, body: aborted })).toEqual([400, 'BODY_ABORTED'])
  })

  it('refuses an invalid byte that decodes to the same character as the signed bytes', async () => {
    const original = bytes('{"data":{"id":"a","type":"orders","attributes":{"name":"\uFFFD"}}}')
    const at = original.indexOf(0xef)
    const genuine = delivery('orders.place', original)
    const forged = Uint8Array.of(...original.subarray(0, at), 0xff, ...original.subarray(at + 3))
    expect(new TextDecoder().decode(forged)).toBe(new TextDecoder().decode(original))
    expect(await answerTo(genuine)).toEqual([200, 'handled'])
    expect(await answerTo({ ...genuine, body: forged })).toEqual([401, 'SIGNATURE_MISMATCH'])
  })

  it.each([
    ['an empty body', ''],
    ['invalid UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d)],
    ['a document after a byte order mark', `\uFEFF${JSON.stringify(CART)}`],
    ['invalid JSON', '{"data":'],
    ['JSON that is not a JSON:API document', '{"hello":"world"}'],
    ['data: null', '{"data":null}'],
    ['data: []', '{"data":[]}'],
  ])('answers 400 to %s, although it is signed', async (_, body) => {
    expect(await invalid(body)).toEqual([400, 'DOCUMENT_INVALID'])
  })

  it('answers 400 to a resource of another type, although it is signed', async () => {
    expect(await invalid('{"data":{"id":"a","type":"customers"}}')).toEqual([400, 'TOPIC_MISMATCH'])
  })

  it('accepts a document that is nested 10,000 levels deep', async () => {
    expect(await invalid(nested(10_000))).toEqual([200, 'handled'])
    expect(handled.mock.calls[0]?.[0].resource.number).toBe('2001')
  })

  it('acknowledges a genuine delivery without a handler, even of an unknown topic', async () => {
    const open = hooklayer.createReceiver({ secrets: SECRET, logger: silent })
    for (const [topic, type] of [
      ['orders.pay', 'orders'],
      ['orders.novelty', 'orders'],
      ['novelties.appear', 'x'],
    ] as const) {
      expect(readAnswer(await open.receive(delivery(topic, { data: { id: 'a', type } })))).toEqual([200, 'ignored'])
    }
  })

  it('acknowledges a delivery whose handler throws a PermanentError', async () => {
    const { logger, lines } = recordingLogger()
    const onError = vi.fn()
    const discarding = hooklayer.createReceiver({ secrets: SECRETS, logger }).onError(onError)
    const permanent = new hooklayer.PermanentError('It is a test order.')
    discarding.on('orders.place', () => {
      throw permanent
    })
    expect(readAnswer(await discarding.receive(request))).toEqual([200, 'discarded'])
    expect(onError).toHaveBeenCalledWith(permanent, expect.objectContaining({ topic: 'orders.place' }))
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error' }))
  })
})

describe('the options of a receiver', () => {
  it.each(['deadlineMs', 'maxBodyBytes', 'bodyTimeoutMs', 'maxInFlight'])(
    'are refused when `%s` is not a whole number over 0',
    (name) => {
      for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1000', null, true, {}]) {
        const error = thrownBy(() => receiverWith({ [name]: value }))
        expect(error).toBeInstanceOf(TypeError)
        expect(String(error)).toContain(name)
      }
      for (const value of [1, 5000, 1_000_000]) receiverWith({ [name]: value })
    },
  )

  it('are refused when a name is unknown, because a misspelled one would disable a protection', () => {
    for (const name of ['deadline', 'maxBodySize', 'secret', 'toString']) {
      expect(() => receiverWith({ [name]: 1000 })).toThrow(TypeError)
      expect(() => receiverWith({ [name]: 1000 })).toThrow(name)
    }
  })

  it.each([
    undefined,
    null,
    {},
    { secrets: undefined },
    { secrets: '' },
    { secrets: [] },
    { secrets: {} },
    { secrets: null },
  ])('are refused without a secret: %j', (options) => {
    expect(() => createReceiver(options as ReceiverOptions)).toThrow(TypeError)
  })

  it('are refused when a secret has leading or trailing whitespace, and the error does not quote it', () => {
    for (const secrets of [`${SECRET}\n`, [SECRET, ` ${SECRET}`], { 'orders.place': `${SECRET}\r\n` }]) {
      const error = thrownBy(() => receiverWith({ secrets }))
      expect(error).toBeInstanceOf(TypeError)
      expect(String(error)).toMatch(/whitespace/)
      expect(String(error)).not.toContain(SECRET)
    }
  })

  it('cause a warning when the deadline is longer than Commerce Layer waits', () => {
    const tooLong = recordingLogger()
    receiverWith({ deadlineMs: 5001, logger: tooLong.logger })
    expect(tooLong.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('deadlineMs') }])
    const longest = recordingLogger()
    receiverWith({ deadlineMs: 5000, logger: longest.logger })
    expect(longest.lines).toEqual([])
  })

  it('need no logger, because warnings go to the console by default', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    createReceiver({ secrets: SECRETS }).on('orders.placed', () => {})
    expect(warn).toHaveBeenCalledOnce()
    warn.mockRestore()
  })
})

describe('the handlers of a receiver', () => {
  const failingWith = (thrown: unknown, options?: Partial<ReceiverOptions>) =>
    receiverWith(options).on('orders.place', () => {
      throw thrown
    })

  it('can be registered in a chain, for one topic, several, a resource or all topics', async () => {
    const handler = vi.fn()
    const receiver = receiverWith()
      .on('orders.place', handler)
      .on(['orders.pay', 'orders.place'], handler)
      .on('orders.*', handler)
      .on('*', handler)
      .onError(() => {})
    await receiver.receive(request)
    expect(handler).toHaveBeenCalledTimes(4)
  })

  it('are refused when they are not functions or have no valid topic', () => {
    expect(() => receiverWith().on('orders.place', undefined as never)).toThrow(TypeError)
    expect(() => receiverWith().on('orders', () => {})).toThrow(TypeError)
    expect(() => receiverWith().on([], () => {})).toThrow(TypeError)
    expect(() => receiverWith().onError(undefined as never)).toThrow(TypeError)
  })

  it.each([
    ['an Error', new Error('database down')],
    ['an Error with a status', Object.assign(new Error('not-found'), { status: 404, statusCode: 404, code: 'X' })],
    ['an emoji', new Error('💥 database down')],
    ['text', 'database down'],
    ['undefined', undefined],
    ['null', null],
    ['an answer', { status: 200, headers: {}, body: '{}' }],
  ])('cause a 500 when they throw %s, and the answer shows nothing of it', async (_, thrown) => {
    const onError = vi.fn<ErrorHandler>()
    const { status, body } = await failingWith(thrown).onError(onError).receive(request)
    expect(status).toBe(500)
    expect(JSON.parse(body).error.code).toBe('HANDLER_FAILED')
    expect(body).not.toMatch(/database|not found|💥/)
    const [[error, context] = []] = onError.mock.calls
    expect(error).toHaveProperty('cause', thrown)
    expect(context?.event?.topic).toBe('orders.place')
  })

  it('cause one error with several causes when several of them fail', async () => {
    const onError = vi.fn<ErrorHandler>()
    const receiver = failingWith('first').onError(onError)
    receiver.on('orders.*', () => Promise.reject(new Error('second')))
    expect(readAnswer(await receiver.receive(request))).toEqual([500, 'HANDLER_FAILED'])
    expect(onError.mock.calls[0]?.[0].cause).toBeInstanceOf(AggregateError)
    expect(onError.mock.calls[0]?.[0].cause).toMatchObject({ errors: ['first', new Error('second')] })
  })

  it('cause a 503 at the deadline and have their signal aborted when they never end', async () => {
    const started = performance.now()
    let signal: AbortSignal | undefined
    const receiver = receiverWith({ deadlineMs: 100 }).on('orders.place', (_, context) => {
      signal = context.signal
      return new Promise(() => {})
    })
    const { status, headers, body } = await receiver.receive(request)
    expect([status, JSON.parse(body).error.code]).toEqual([503, 'DEADLINE_EXCEEDED'])
    expect(headers['retry-after']).toMatch(/^\d+$/)
    expect(signal?.aborted).toBe(true)
    expect(performance.now() - started).toBeLessThan(3000)
  })

  it('are logged when they end after the deadline', async () => {
    const { logger, messages } = recordingLogger()
    let finish = () => {}
    const handler = () => new Promise<void>((resolve) => (finish = resolve))
    const receiver = receiverWith({ deadlineMs: 100, logger }).on('orders.place', handler)
    await receiver.receive(request)
    expect(messages()).toHaveLength(1)
    finish()
    await receiver.close()
    expect(messages()).toEqual([
      expect.stringContaining('DEADLINE_EXCEEDED'),
      expect.stringMatching(/after the deadline/),
    ])
  })

  it('do not start when the deadline passed while the body was read', async () => {
    const handler = vi.fn()
    const receiver = receiverWith({ deadlineMs: 20 }).on('orders.place', handler)
    const slow = async () => {
      const end = performance.now() + 30
      while (performance.now() < end);
      return request.body
    }
    expect(readAnswer(await receiver.receive({ ...request, body: slow }))).toEqual([503, 'DEADLINE_EXCEEDED'])
    expect(handler).not.toHaveBeenCalled()
  })
})

describe('secrets that are looked up', () => {
  it('are looked up for each delivery where no answer is kept, so that they can rotate', async () => {
    let current = OTHER_SECRET
    const receiver = receiverWith({ secrets: async () => current, secretsCacheMs: 'none' })
    expect(readAnswer(await receiver.receive(request))).toEqual([401, 'SIGNATURE_MISMATCH'])
    current = SECRET
    expect(readAnswer(await receiver.receive(request))).toEqual([200, 'ignored'])
  })

  it('are looked up again when a signature does not match, so that a rotation costs no delivery', async () => {
    const lookUp = vi.fn(async () => OTHER_SECRET)
    const receiver = receiverWith({ secrets: lookUp })
    const previous = delivery('orders.place', CART, OTHER_SECRET)
    expect(readAnswer(await receiver.receive(previous))).toEqual([200, 'ignored'])
    lookUp.mockResolvedValue(SECRET)
    expect(readAnswer(await receiver.receive(request))).toEqual([200, 'ignored'])
    expect(lookUp).toHaveBeenCalledTimes(2)
  })

  it('are looked up once for deliveries that come at the same time, and not again for a second', async () => {
    const lookUp = vi.fn(async () => SECRET)
    const receiver = receiverWith({ secrets: lookUp })
    const answers = await Promise.all(Array.from({ length: 50 }, () => receiver.receive(request)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    await receiver.receive(request)
    expect(lookUp).toHaveBeenCalledTimes(1)
  })

  it('are looked up at most twice for a thousand forgeries, and no body of an unknown topic is read', async () => {
    const lookUp = vi.fn(async (topic: string) => (topic === 'orders.place' ? SECRET : undefined))
    const receiver = receiverWith({ secrets: lookUp })
    const body = vi.fn(async () => request.body)
    const forged = {
      ...request,
      headers: { ...request.headers, 'x-commercelayer-signature': `${'A'.repeat(43)}=` },
      body,
    }
    const answers = await Promise.all(Array.from({ length: 1000 }, () => receiver.receive(forged)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]))
    expect(lookUp).toHaveBeenCalledTimes(2)
    const unknown = { ...forged, headers: { ...forged.headers, 'x-commercelayer-topic': 'orders.unknown' } }
    body.mockClear()
    expect((await receiver.receive(unknown)).status).toBe(401)
    expect(body).not.toHaveBeenCalled()
  })

  it('cause a 503 when the look-up fails, because that is not the fault of the sender', async () => {
    const onError = vi.fn<ErrorHandler>()
    const receiver = receiverWith({ secrets: () => Promise.reject(new Error('vault')) }).onError(onError)
    expect(readAnswer(await receiver.receive(request))).toEqual([503, 'STORE_UNAVAILABLE'])
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: 'STORE_UNAVAILABLE', cause: new Error('vault') })
  })

  it('are not waited for beyond the deadline', async () => {
    const receiver = receiverWith({ deadlineMs: 20, secrets: () => new Promise<string>(() => {}) })
    const answer = await Promise.race([receiver.receive(request), sleep(250)])
    expect(answer?.status).toBe(503)
  })
})

describe('error handlers', () => {
  it('are called with the reason why a request was refused, and the topic that it named', async () => {
    const onError = vi.fn<ErrorHandler>()
    const receiver = receiverWith().onError(onError, { unverified: true })
    await receiver.receive({ ...request, method: 'GET' })
    await receiver.receive(withHeaders(request, { 'x-commercelayer-signature': signed('forged') }))
    await receiver.close()
    expect(onError.mock.calls).toMatchObject([
      [{ code: 'METHOD_NOT_ALLOWED' }, { topic: undefined, event: undefined }],
      [
        { code: 'SIGNATURE_MISMATCH', hint: expect.any(String) },
        { topic: 'orders.place', event: undefined },
      ],
    ])
  })

  it('are called once for a thousand forgeries of a topic with a handler, and not at all for other strangers', async () => {
    const onError = vi.fn<ErrorHandler>()
    const receiver = receiverWith({ secrets: SECRET })
      .on('orders.place', () => {})
      .onError(onError)
    const forgery = withHeaders(request, { 'x-commercelayer-signature': signed('forged') })
    for (let i = 0; i < 1000; i += 1) {
      await receiver.receive(forgery)
      await receiver.receive(withHeaders(forgery, { 'x-commercelayer-topic': `orders.made${i}` }))
      await receiver.receive({ ...request, method: 'GET' })
    }
    await receiver.close()
    expect(onError.mock.calls).toMatchObject([[{ code: 'SIGNATURE_MISMATCH' }, { topic: 'orders.place', count: 1 }]])
  })

  it('that are slow do not delay the answer to a forgery', async () => {
    const order: string[] = []
    const receiver = receiverWith().onError(
      async () => {
        await sleep(100)
        order.push('reported')
      },
      { unverified: true },
    )
    await receiver.receive(withHeaders(request, { 'x-commercelayer-signature': signed('forged') }))
    order.push('answered')
    await receiver.close()
    expect(order).toEqual(['answered', 'reported'])
  })

  it('take options with known names and values', () => {
    const register = (options: unknown) => () =>
      receiverWith().onError(() => {}, options as Parameters<Receiver['onError']>[1])
    expect(register({ unverifed: true })).toThrow(/Did you mean `unverified`/)
    expect(register({ unverified: 1 })).toThrow(TypeError)
  })

  it('are not called for a delivery that succeeds', async () => {
    const onError = vi.fn<ErrorHandler>()
    await receiverWith().onError(onError).receive(request)
    expect(onError).not.toHaveBeenCalled()
  })

  it.each([
    [
      'throw',
      () => {
        throw new Error('tracker down')
      },
    ],
    ['reject', () => Promise.reject(new Error('tracker down'))],
    ['never end', () => new Promise(() => {})],
  ] satisfies [string, ErrorHandler][])('do not change the answer when they %s', async (_, broken) => {
    const { logger, messages } = recordingLogger()
    const onError = vi.fn<ErrorHandler>()
    const receiver = receiverWith({ logger, deadlineMs: 50 })
      .onError(broken, { unverified: true })
      .onError(onError, { unverified: true })
    expect(readAnswer(await receiver.receive({ ...request, method: 'GET' }))).toEqual([405, 'METHOD_NOT_ALLOWED'])
    expect(onError).toHaveBeenCalledOnce()
    expect(messages()).toContainEqual(expect.stringMatching(/error handler failed/i))
  })
})

describe('the logger of a receiver', () => {
  it('receives the outcome of each delivery', async () => {
    const { logger, lines } = recordingLogger()
    const receiver = receiverWith({ logger }).on('orders.place', (_, context) => {
      context.logger.info('from the handler')
    })
    await receiver.receive(request)
    await receiver.receive({ ...request, method: 'GET' })
    expect(lines).toMatchObject([
      { level: 'info', message: 'from the handler' },
      { level: 'info', fields: { topic: 'orders.place', outcome: 'handled' } },
      { level: 'warn', fields: { code: 'METHOD_NOT_ALLOWED' } },
    ])
  })

  it('does not change an answer when it throws', async () => {
    const fail = () => {
      throw new Error('disk full')
    }
    const logger = { debug: fail, info: fail, warn: fail, error: fail }
    const receiver = receiverWith({ logger, deadlineMs: 6000 })
    receiver.on('orders.placed', () => {})
    receiver.on('orders.place', (_, context) => context.logger.info('from the handler'))
    expect(readAnswer(await receiver.receive(request))).toEqual([200, 'handled'])
    expect(readAnswer(await receiver.receive({ ...request, method: 'GET' }))).toEqual([405, 'METHOD_NOT_ALLOWED'])
  })
})

describe('a receiver that is busy or closing', () => {
  function slow(options: Partial<ReceiverOptions> = {}) {
    let end = () => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    return { receiver: receiverWith(options).on('orders.place', () => ended), end: () => end() }
  }

  it('answers 503 to deliveries over `maxInFlight`, before it reads their body', async () => {
    const { receiver, end } = slow({ maxInFlight: 2 })
    const inProgress = [receiver.receive(request), receiver.receive(request)]
    const body = vi.fn(async () => request.body)
    expect(readAnswer(await receiver.receive({ ...request, body }))).toEqual([503, 'OVERLOADED'])
    expect(body).not.toHaveBeenCalled()
    end()
    expect((await Promise.all(inProgress)).map(readAnswer)).toEqual([
      [200, 'handled'],
      [200, 'handled'],
    ])
    expect(readAnswer(await receiver.receive(request))).toEqual([200, 'handled'])
  })

  it('answers 503 to a delivery whose place was taken while its body arrived', async () => {
    let finish = () => {}
    let arrive = () => {}
    const handler = vi.fn(() => new Promise<void>((resolve) => (finish = resolve)))
    const receiver = receiverWith({ maxInFlight: 1 }).on('orders.place', handler)
    const body = () => new Promise<Uint8Array>((resolve) => (arrive = () => resolve(request.body)))
    const late = receiver.receive({ ...request, body })
    const first = receiver.receive(request)
    await waitFor(() => expect(handler).toHaveBeenCalledOnce())
    arrive()
    expect(readAnswer(await late)).toEqual([503, 'OVERLOADED'])
    finish()
    expect(readAnswer(await first)).toEqual([200, 'handled'])
  })

  it('does not count a refused request toward `maxInFlight`', async () => {
    const receiver = receiverWith({ maxInFlight: 1 })
    for (let i = 0; i < 3; i++) await receiver.receive({ ...request, method: 'GET' })
    expect(readAnswer(await receiver.receive(request))).toEqual([200, 'ignored'])
  })

  it('finishes the deliveries in progress when it closes, and answers 503 to new ones', async () => {
    const { receiver, end } = slow()
    const inProgress = receiver.receive(request)
    const closing = receiver.close()
    const refused = await receiver.receive(request)
    expect(readAnswer(refused)).toEqual([503, 'SHUTTING_DOWN'])
    expect(refused.headers['retry-after']).toMatch(/^\d+$/)
    end()
    expect(readAnswer(await inProgress)).toEqual([200, 'handled'])
    await closing
  })

  it('waits for late handlers when it closes', async () => {
    let ended = false
    let finish = () => {}
    const receiver = receiverWith({ deadlineMs: 100 }).on('orders.place', async () => {
      await new Promise<void>((resolve) => (finish = resolve))
      ended = true
    })
    expect(readAnswer(await receiver.receive(request))).toEqual([503, 'DEADLINE_EXCEEDED'])
    expect(ended).toBe(false)
    setTimeout(finish, 20)
    await receiver.close()
    expect(ended).toBe(true)
  })
})

describe('a signature mismatch', () => {
  /** Each request has a receiver of its own, because one mismatch a second is explained. */
  const collectHints = async (options: Partial<ReceiverOptions>, requests: (typeof request)[]) => {
    const hints: unknown[] = []
    const answers = []
    for (const one of requests) {
      const receiver = receiverWith(options)
      receiver.onError((error) => hints.push('hint' in error && error.hint), { unverified: true })
      answers.push(await receiver.receive(one))
      await receiver.close()
    }
    return { hints, answers }
  }
  const forged = (body: Uint8Array, forgedSignature: string) => ({
    ...withHeaders(request, { 'x-commercelayer-signature': forgedSignature }),
    body,
  })
  const REWRITTEN = bytes('{"data":{"id":"a","type":"orders","attributes":{"total_amount_float":20}}}')

  it('has the same answer for every cause, byte for byte, and a hint of its own in `onError`', async () => {
    const { hints, answers } = await collectHints({}, [
      forged(request.body, signed(request.body, 'forged')),
      forged(request.body, signed(request.body, OTHER_SECRET)),
      forged(request.body, Buffer.from(signature, 'base64').toString('hex')),
      forged(bytes(''), signature),
      forged(bytes('x'.repeat(1024 * 1024 + 1)), signature),
      forged(bytes(Buffer.from(request.body).toString('base64')), signature),
      forged(REWRITTEN, signed(new TextDecoder().decode(REWRITTEN).replace('20', '20.0'))),
    ])
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(readAnswer(answers[0] as WebhookResponse)).toEqual([401, 'SIGNATURE_MISMATCH'])
    expect(new Set(hints).size).toBe(7)
    for (const hint of hints) expect(JSON.stringify(answers)).not.toContain(hint)
  })

  it('is explained with at most four secrets of other topics', async () => {
    const secrets = Object.fromEntries(
      ['place', 'a', 'b', 'c', 'd', 'e'].map((event) => [`orders.${event}`, `the secret of topic ${event}`]),
    )
    const { hints } = await collectHints({ secrets }, [
      forged(request.body, signed(request.body, 'the secret of topic d')),
      forged(request.body, signed(request.body, 'the secret of topic e')),
    ])
    expect(hints).toEqual([expect.stringMatching(/another topic/), expect.not.stringMatching(/another topic/)])
  })
})
