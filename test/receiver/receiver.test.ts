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

const { logger: silent } = recordingLogger()
const SECRETS = { 'orders.place': SECRET, 'orders.pay': OTHER_SECRET, 'customers.create': SECRET }
const request = delivery('orders.place', CART)
const signature = signed(request.body)

function receiverWith(options: Partial<ReceiverOptions> = {}): Receiver {
  return createReceiver({ secrets: SECRETS, logger: silent, ...options })
}

function answered({ status, body }: WebhookResponse): unknown {
  const answer = JSON.parse(body)
  return [status, answer.outcome ?? answer.error.code]
}

describe.each(await inBothRuntimes(() => import('hooklayer')))('a receiver on %s', (_, hooklayer) => {
  const receiver = hooklayer.createReceiver({ secrets: SECRETS, logger: silent })
  const handled = vi.fn()
  receiver.on('orders.place', handled)
  const answerTo = async (...args: Parameters<typeof receiver.receive>) => {
    handled.mockClear()
    const answer = answered(await receiver.receive(...args))
    expect(handled).toHaveBeenCalledTimes((answer as unknown[])[1] === 'handled' ? 1 : 0)
    return answer
  }
  const invalid = (body: string | Uint8Array, topic = 'orders.place') => answerTo(delivery(topic, body))

  it('takes a genuine delivery to its handler, verified and typed', async () => {
    expect(await answerTo(request)).toEqual([200, 'handled'])
    const [event, { signal }] = handled.mock.calls[0] ?? []
    expect(event.topic).toBe('orders.place')
    expect(event.resource.customer.email).toBe('ada@example.com')
    expect(event.resource.line_items[0].order).toBe(event.resource)
    expect(event).toMatchObject({ mode: 'test', organizationId: 'wRPpEFOElR', rawBody: request.body })
    expect(signal.aborted).toBe(false)
  })

  it('takes text that is not ASCII', async () => {
    const document = { data: order({ attributes: { name: 'Grüße 👍🏽 日本語' } }) }
    expect(await answerTo(delivery('orders.place', document))).toEqual([200, 'handled'])
    expect(handled.mock.calls[0]?.[0].resource.name).toBe('Grüße 👍🏽 日本語')
  })

  it('takes numbers as the wire writes them, which no JSON.stringify would', async () => {
    const body = '{"data":{"id":"a","type":"orders","attributes":{"total_amount_float":20.0,"url":"a\\u0026b"}}}'
    expect(await invalid(body)).toEqual([200, 'handled'])
    expect(handled.mock.calls[0]?.[0].resource).toMatchObject({ total_amount_float: 20, url: 'a&b' })
  })

  it('takes a body as bytes, as text, or as what reads it', async () => {
    const text = new TextDecoder().decode(request.body)
    for (const body of [request.body, text, async () => request.body, async () => text, Buffer.from(request.body)]) {
      expect(await answerTo({ ...request, body })).toEqual([200, 'handled'])
    }
  })

  it('takes headers in any shape', async () => {
    const { headers } = request
    const upper = Object.entries(headers).map(([name, value]): [string, string] => [name.toUpperCase(), value])
    const lists = Object.fromEntries(upper.map(([name, value]) => [name, [value]]))
    for (const shape of [new Headers(headers), upper, new Map(upper), Object.fromEntries(upper), lists]) {
      expect(await answerTo({ ...request, headers: shape })).toEqual([200, 'handled'])
    }
  })

  it('refuses doubled headers in any shape', async () => {
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

  it.each(['GET', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'post', ''])(
    'answers %j 405, and says what is allowed',
    async (method) => {
      const { status, headers } = await receiver.receive({ ...request, method })
      expect([status, headers.allow]).toEqual([405, 'POST'])
    },
  )

  it.each([
    ['no signature', undefined, 'SIGNATURE_MISSING'],
    ['an empty signature', '', 'SIGNATURE_MISSING'],
    ['another secret', signed(request.body, 'forged'), 'SIGNATURE_MISMATCH'],
    ['the secret of another topic', signed(request.body, OTHER_SECRET), 'SIGNATURE_MISMATCH'],
    ['no secret at all', signed(request.body, ''), 'SIGNATURE_MISMATCH'],
    ['the signature of other bytes', signed(`${request.body} `), 'SIGNATURE_MISMATCH'],
    ['a truncated signature', signature.slice(0, -1), 'SIGNATURE_MISMATCH'],
    ['one character', signature.slice(0, 1), 'SIGNATURE_MISMATCH'],
    ['hex', Buffer.from(signature, 'base64').toString('hex'), 'SIGNATURE_MISMATCH'],
    ['a doubled signature', signature + signature, 'SIGNATURE_MISMATCH'],
    ['a list of signatures', `${signature}, ${signature}`, 'SIGNATURE_MISMATCH'],
    ['a prefix', `sha256=${signature}`, 'SIGNATURE_MISMATCH'],
    ['Latin 1', 'ümläut', 'SIGNATURE_MISMATCH'],
    ['an emoji', '👍'.repeat(22), 'SIGNATURE_MISMATCH'],
    [
      'full-width letters',
      signature.replace(/[A-Z]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0)),
      'SIGNATURE_MISMATCH',
    ],
    ['control characters', '\0'.repeat(44), 'SIGNATURE_MISMATCH'],
    ['a very long signature', 'A'.repeat(100_000), 'SIGNATURE_MISMATCH'],
  ])('answers %s 401', async (_, forged, code) => {
    expect(await answerTo(withHeaders(request, { 'x-commercelayer-signature': forged }))).toEqual([401, code])
  })

  it.each([
    ['no topic', undefined, 400, 'TOPIC_MISSING'],
    ['an empty topic', '', 400, 'TOPIC_MISSING'],
    ['a malformed topic', 'orders/place', 400, 'TOPIC_INVALID'],
    ['a topic with a line break', 'orders.place\n', 400, 'TOPIC_INVALID'],
    ['a topic that has no secret', 'orders.cancel', 401, 'SECRET_UNKNOWN'],
    ['a topic that objects inherit', 'constructor.prototype', 401, 'SECRET_UNKNOWN'],
    ['a topic whose secret is another: a replay', 'orders.pay', 401, 'SIGNATURE_MISMATCH'],
    ['a topic whose secret is the same, but not the resource: a replay', 'customers.create', 400, 'TOPIC_MISMATCH'],
  ])('answers %s in its own way', async (_, topic, status, code) => {
    expect(await answerTo(withHeaders(request, { 'x-commercelayer-topic': topic }))).toEqual([status, code])
  })

  it('answers 413 to what is over the limit, announced or not, and does not read what is announced', async () => {
    const small = hooklayer.createReceiver({ secrets: SECRETS, logger: silent, maxBodyBytes: request.body.length - 1 })
    const read = vi.fn(async () => request.body)
    const announced = withHeaders(request, { 'content-length': `${request.body.length}` })
    expect(answered(await small.receive({ ...announced, body: read }))).toEqual([413, 'BODY_TOO_LARGE'])
    expect(read).not.toHaveBeenCalled()
    for (const body of [request.body, read]) {
      expect(answered(await small.receive({ ...request, body }))).toEqual([413, 'BODY_TOO_LARGE'])
    }
    expect(read.mock.calls).toEqual([[{ maxBytes: request.body.length - 1 }]])
  })

  it.each(['gzip', 'br', 'deflate, gzip', 'x-custom'])('answers 415 to the content-encoding %s', async (encoding) => {
    expect(await answerTo(withHeaders(request, { 'content-encoding': encoding }))).toEqual([
      415,
      'ENCODING_UNSUPPORTED',
    ])
  })

  it('answers 408 to a body that does not come', async () => {
    const impatient = hooklayer.createReceiver({ secrets: SECRETS, logger: silent, bodyTimeoutMs: 10 })
    const stalled = { ...request, body: () => new Promise<Uint8Array>(() => {}) }
    expect(answered(await impatient.receive(stalled))).toEqual([408, 'BODY_TIMEOUT'])
  })

  it('answers 400 to a body that was cut off', async () => {
    const aborted = () => Promise.reject(new hooklayer.WebhookError('BODY_ABORTED'))
    expect(await answerTo({ ...request, body: aborted })).toEqual([400, 'BODY_ABORTED'])
  })

  it('is not taken in by an invalid byte that would decode to the character that was signed', async () => {
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
    ['a byte order mark', `\uFEFF${JSON.stringify(CART)}`],
    ['invalid JSON', '{"data":'],
    ['no JSON:API document', '{"hello":"world"}'],
    ['data: null', '{"data":null}'],
    ['data: []', '{"data":[]}'],
  ])('answers 400 to %s, although it is signed', async (_, body) => {
    expect(await invalid(body)).toEqual([400, 'DOCUMENT_INVALID'])
  })

  it('answers 400 to a resource of another type, although it is signed', async () => {
    expect(await invalid('{"data":{"id":"a","type":"customers"}}')).toEqual([400, 'TOPIC_MISMATCH'])
  })

  it('takes nesting 10,000 deep', async () => {
    expect(await invalid(nested(10_000))).toEqual([200, 'handled'])
    expect(handled.mock.calls[0]?.[0].resource.number).toBe('2001')
  })

  it('acknowledges a genuine delivery that nobody handles, of a topic that nobody knows too', async () => {
    const open = hooklayer.createReceiver({ secrets: SECRET, logger: silent })
    for (const [topic, type] of [
      ['orders.pay', 'orders'],
      ['orders.novelty', 'orders'],
      ['novelties.appear', 'x'],
    ] as const) {
      expect(answered(await open.receive(delivery(topic, { data: { id: 'a', type } })))).toEqual([200, 'ignored'])
    }
  })

  it('acknowledges what a handler says can never succeed', async () => {
    const { logger, lines } = recordingLogger()
    const told = vi.fn()
    const picky = hooklayer.createReceiver({ secrets: SECRETS, logger }).onError(told)
    const permanent = new hooklayer.PermanentError('It is a test order.')
    picky.on('orders.place', () => {
      throw permanent
    })
    expect(answered(await picky.receive(request))).toEqual([200, 'discarded'])
    expect(told).toHaveBeenCalledWith(permanent, expect.objectContaining({ topic: 'orders.place' }))
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error' }))
  })
})

describe('options', () => {
  it.each(['deadlineMs', 'maxBodyBytes', 'bodyTimeoutMs', 'maxInFlight'])(
    '%s is a whole number that a timer can count to',
    (name) => {
      for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1000', null, true, {}]) {
        const error = thrownBy(() => receiverWith({ [name]: value }))
        expect(error).toBeInstanceOf(TypeError)
        expect(String(error)).toContain(name)
      }
      for (const value of [1, 5000, 1_000_000]) receiverWith({ [name]: value })
    },
  )

  it('that are unknown are refused: a typing error must not switch a protection off', () => {
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
  ])('without a secret are refused: %j', (options) => {
    expect(() => createReceiver(options as ReceiverOptions)).toThrow(TypeError)
  })

  it('with a secret that ends in a line break are refused, and it is not said which secret', () => {
    for (const secrets of [`${SECRET}\n`, [SECRET, ` ${SECRET}`], { 'orders.place': `${SECRET}\r\n` }]) {
      const error = thrownBy(() => receiverWith({ secrets }))
      expect(error).toBeInstanceOf(TypeError)
      expect(String(error)).toMatch(/whitespace/)
      expect(String(error)).not.toContain(SECRET)
    }
  })

  it('with a deadline beyond the patience of the sender earn a warning', () => {
    const patient = recordingLogger()
    receiverWith({ deadlineMs: 5001, logger: patient.logger })
    expect(patient.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('deadlineMs') }])
    const punctual = recordingLogger()
    receiverWith({ deadlineMs: 5000, logger: punctual.logger })
    expect(punctual.lines).toEqual([])
  })

  it('need no logger: warnings go to the console', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    createReceiver({ secrets: SECRETS }).on('orders.placed', () => {})
    expect(warn).toHaveBeenCalledOnce()
    warn.mockRestore()
  })
})

describe('handlers', () => {
  const failingWith = (thrown: unknown, options?: Partial<ReceiverOptions>) =>
    receiverWith(options).on('orders.place', () => {
      throw thrown
    })

  it('may be registered in a chain, for a topic, several, a resource or all', async () => {
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

  it('that are none are refused', () => {
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
  ])('that throw %s are answered 500, with nothing of it in the answer', async (_, thrown) => {
    const told = vi.fn<ErrorHandler>()
    const { status, body } = await failingWith(thrown).onError(told).receive(request)
    expect(status).toBe(500)
    expect(JSON.parse(body).error.code).toBe('HANDLER_FAILED')
    expect(body).not.toMatch(/database|not found|💥/)
    const [[error, context] = []] = told.mock.calls
    expect(error).toHaveProperty('cause', thrown)
    expect(context?.event?.topic).toBe('orders.place')
  })

  it('that fail together are one failure with several causes', async () => {
    const told = vi.fn<ErrorHandler>()
    const receiver = failingWith('first').onError(told)
    receiver.on('orders.*', () => Promise.reject(new Error('second')))
    expect(answered(await receiver.receive(request))).toEqual([500, 'HANDLER_FAILED'])
    expect(told.mock.calls[0]?.[0].cause).toBeInstanceOf(AggregateError)
    expect(told.mock.calls[0]?.[0].cause).toMatchObject({ errors: ['first', new Error('second')] })
  })

  it('that never end are answered 503 at the deadline, and their signal is aborted', async () => {
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

  it('that end late are logged when they do', async () => {
    const { logger, messages } = recordingLogger()
    const receiver = receiverWith({ deadlineMs: 100, logger }).on('orders.place', () => sleep(150))
    await receiver.receive(request)
    expect(messages()).toHaveLength(1)
    await receiver.close()
    expect(messages()).toEqual([
      expect.stringContaining('DEADLINE_EXCEEDED'),
      expect.stringMatching(/after the deadline/),
    ])
  })

  it('do not start when the time was spent on the body', async () => {
    const handler = vi.fn()
    const receiver = receiverWith({ deadlineMs: 20 }).on('orders.place', handler)
    const slow = async () => {
      const end = performance.now() + 30
      while (performance.now() < end);
      return request.body
    }
    expect(answered(await receiver.receive({ ...request, body: slow }))).toEqual([503, 'DEADLINE_EXCEEDED'])
    expect(handler).not.toHaveBeenCalled()
  })
})

describe('secrets that are looked up', () => {
  it('are looked up for each delivery, so that they can rotate', async () => {
    let current = 'previous'
    const receiver = receiverWith({ secrets: async () => current })
    expect(answered(await receiver.receive(request))).toEqual([401, 'SIGNATURE_MISMATCH'])
    current = SECRET
    expect(answered(await receiver.receive(request))).toEqual([200, 'ignored'])
  })

  it('are unavailable when the look-up fails, which is the fault of nobody who sends', async () => {
    const told = vi.fn<ErrorHandler>()
    const receiver = receiverWith({ secrets: () => Promise.reject(new Error('vault')) }).onError(told)
    expect(answered(await receiver.receive(request))).toEqual([503, 'STORE_UNAVAILABLE'])
    expect(told.mock.calls[0]?.[0]).toMatchObject({ code: 'STORE_UNAVAILABLE', cause: new Error('vault') })
  })

  it('are not waited for beyond the deadline', async () => {
    const receiver = receiverWith({ deadlineMs: 20, secrets: () => new Promise<string>(() => {}) })
    const answer = await Promise.race([receiver.receive(request), sleep(250)])
    expect(answer?.status).toBe(503)
  })
})

describe('error handlers', () => {
  it('are told why a request was refused, with the topic that it named', async () => {
    const told = vi.fn<ErrorHandler>()
    const receiver = receiverWith().onError(told)
    await receiver.receive({ ...request, method: 'GET' })
    await receiver.receive(withHeaders(request, { 'x-commercelayer-signature': signed('forged') }))
    expect(told.mock.calls).toMatchObject([
      [{ code: 'METHOD_NOT_ALLOWED' }, { topic: undefined, event: undefined }],
      [
        { code: 'SIGNATURE_MISMATCH', hint: expect.any(String) },
        { topic: 'orders.place', event: undefined },
      ],
    ])
  })

  it('are not told of what went well', async () => {
    const told = vi.fn<ErrorHandler>()
    await receiverWith().onError(told).receive(request)
    expect(told).not.toHaveBeenCalled()
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
  ] satisfies [string, ErrorHandler][])('that %s do not change the answer', async (_, broken) => {
    const { logger, messages } = recordingLogger()
    const told = vi.fn<ErrorHandler>()
    const receiver = receiverWith({ logger, deadlineMs: 50 }).onError(broken).onError(told)
    expect(answered(await receiver.receive({ ...request, method: 'GET' }))).toEqual([405, 'METHOD_NOT_ALLOWED'])
    expect(told).toHaveBeenCalledOnce()
    expect(messages()).toContainEqual(expect.stringMatching(/error handler failed/i))
  })
})

describe('a logger', () => {
  it('is told what became of each delivery', async () => {
    const { logger, lines } = recordingLogger()
    const receiver = receiverWith({ logger }).on('orders.place', (_, context) => {
      context.logger.info('from the handler')
    })
    await receiver.receive(request)
    await receiver.receive({ ...request, method: 'GET' })
    expect(lines).toMatchObject([
      { level: 'info', message: 'from the handler' },
      { level: 'debug', fields: { topic: 'orders.place', outcome: 'handled' } },
      { level: 'warn', fields: { code: 'METHOD_NOT_ALLOWED' } },
    ])
  })

  it('that throws harms nothing', async () => {
    const fail = () => {
      throw new Error('disk full')
    }
    const logger = { debug: fail, info: fail, warn: fail, error: fail }
    const receiver = receiverWith({ logger, deadlineMs: 6000 })
    receiver.on('orders.placed', () => {})
    receiver.on('orders.place', (_, context) => context.logger.info('from the handler'))
    expect(answered(await receiver.receive(request))).toEqual([200, 'handled'])
    expect(answered(await receiver.receive({ ...request, method: 'GET' }))).toEqual([405, 'METHOD_NOT_ALLOWED'])
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

  it('answers 503 to more than it should have under way, before it reads their body', async () => {
    const { receiver, end } = slow({ maxInFlight: 2 })
    const underWay = [receiver.receive(request), receiver.receive(request)]
    const body = vi.fn(async () => request.body)
    expect(answered(await receiver.receive({ ...request, body }))).toEqual([503, 'OVERLOADED'])
    expect(body).not.toHaveBeenCalled()
    end()
    expect((await Promise.all(underWay)).map(answered)).toEqual([
      [200, 'handled'],
      [200, 'handled'],
    ])
    expect(answered(await receiver.receive(request))).toEqual([200, 'handled'])
  })

  it('does not count what it refused', async () => {
    const receiver = receiverWith({ maxInFlight: 1 })
    for (let i = 0; i < 3; i++) await receiver.receive({ ...request, method: 'GET' })
    expect(answered(await receiver.receive(request))).toEqual([200, 'ignored'])
  })

  it('finishes what is under way when it closes, and answers 503 to the rest', async () => {
    const { receiver, end } = slow()
    const underWay = receiver.receive(request)
    const closing = receiver.close()
    const refused = await receiver.receive(request)
    expect(answered(refused)).toEqual([503, 'SHUTTING_DOWN'])
    expect(refused.headers['retry-after']).toMatch(/^\d+$/)
    end()
    expect(answered(await underWay)).toEqual([200, 'handled'])
    await closing
  })

  it('waits for late handlers when it closes', async () => {
    let ended = false
    const receiver = receiverWith({ deadlineMs: 100 }).on('orders.place', async () => {
      await sleep(150)
      ended = true
    })
    expect(answered(await receiver.receive(request))).toEqual([503, 'DEADLINE_EXCEEDED'])
    expect(ended).toBe(false)
    await receiver.close()
    expect(ended).toBe(true)
  })
})

describe('a mismatch', () => {
  const hints = async (receiver: Receiver, requests: (typeof request)[]) => {
    const told: unknown[] = []
    receiver.onError((error) => told.push('hint' in error && error.hint))
    const answers = []
    for (const one of requests) answers.push(await receiver.receive(one))
    return { told, answers }
  }
  const forged = (body: Uint8Array, forgery: string) => ({
    ...withHeaders(request, { 'x-commercelayer-signature': forgery }),
    body,
  })
  const REWRITTEN = bytes('{"data":{"id":"a","type":"orders","attributes":{"total_amount_float":20}}}')

  it('is answered the same whatever the cause, byte for byte, and explained to those who run the receiver', async () => {
    const { told, answers } = await hints(receiverWith(), [
      forged(request.body, signed(request.body, 'forged')),
      forged(request.body, signed(request.body, OTHER_SECRET)),
      forged(request.body, Buffer.from(signature, 'base64').toString('hex')),
      forged(bytes(''), signature),
      forged(bytes('x'.repeat(1024 * 1024 + 1)), signature),
      forged(bytes(Buffer.from(request.body).toString('base64')), signature),
      forged(REWRITTEN, signed(new TextDecoder().decode(REWRITTEN).replace('20', '20.0'))),
    ])
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answered(answers[0] as WebhookResponse)).toEqual([401, 'SIGNATURE_MISMATCH'])
    expect(new Set(told).size).toBe(7)
    for (const hint of told) expect(JSON.stringify(answers)).not.toContain(hint)
  })

  it('with a secret that was looked up with white space around it is explained too', async () => {
    const { told, answers } = await hints(receiverWith({ secrets: () => `${SECRET}\n` }), [request])
    expect(answered(answers[0] as WebhookResponse)).toEqual([401, 'SIGNATURE_MISMATCH'])
    expect(told).toEqual([expect.stringMatching(/whitespace/)])
  })

  it('is never explained by more than four secrets of other topics', async () => {
    const secrets = Object.fromEntries(
      ['place', 'a', 'b', 'c', 'd', 'e'].map((event) => [`orders.${event}`, `secret ${event}`]),
    )
    const { told } = await hints(receiverWith({ secrets }), [
      forged(request.body, signed(request.body, 'secret d')),
      forged(request.body, signed(request.body, 'secret e')),
    ])
    expect(told).toEqual([expect.stringMatching(/another topic/), expect.not.stringMatching(/another topic/)])
  })
})
