import { setTimeout as sleep } from 'node:timers/promises'
import { PermanentError } from 'hooklayer'
import { createResponder, type ExternalResourceKind, refuse } from 'hooklayer/responder'
import { createDelivery, createProbe, createRequest, TEST_SECRET } from 'hooklayer/testing'
import { describe, expect, it, vi } from 'vitest'
import { ask, createLines, read, respondWith, SILENT } from './harness.ts'

const KINDS: readonly ExternalResourceKind[] = ['prices', 'order-validation', 'shipping-cost', 'promotion', 'tax']
const RATE = { tax_rate: 0.2 }
const OTHER = 'secret of another holder, 32 characters'

describe('a request', () => {
  it.each(KINDS)('of %s reaches its handler with the linked resource, and needs no topic header', async (kind) => {
    const handler = vi.fn(() => refuse('NO', 'No.'))
    const request = await createRequest(kind)
    expect(Object.keys(request.headers).map((name) => name.toLowerCase())).not.toContain('x-commercelayer-topic')
    expect(read(await respondWith(kind, handler).receive(request)).status).toBe(422)
    const [[{ resource }]] = handler.mock.calls as unknown as [[{ resource: { type: string } }]]
    const { data } = JSON.parse(new TextDecoder().decode(request.body))
    expect(resource.type).toBe(data.type)
  })

  it('has its includes linked', async () => {
    const responder = createResponder('prices', { secret: TEST_SECRET }, ({ resource }) => ({
      unit_amount_cents: resource.order.customer?.email === 'ada@example.com' ? 1 : 2,
    }))
    const resource = { order: { customer: { email: 'ada@example.com' } } }
    expect((await ask(responder, 'prices', { resource })).body.data).toMatchObject({ unit_amount_cents: 1 })
  })

  it('is taken as that of the responder, whatever topic its sender names', async () => {
    const request = await createRequest('tax', { headers: { 'X-CommerceLayer-Topic': 'orders.place' } })
    expect(read(await respondWith('tax', RATE).receive(request)).status).toBe(200)
  })

  it.each([
    ['with another secret', async () => createRequest('tax', { secret: OTHER }), 401, 'SIGNATURE_MISMATCH'],
    ['without a signature', async () => ({ ...(await createRequest('tax')), headers: {} }), 401, 'SIGNATURE_MISSING'],
    ['by GET', async () => ({ ...(await createRequest('tax')), method: 'GET' }), 405, 'METHOD_NOT_ALLOWED'],
    ['of another type', async () => createRequest('prices'), 400, 'TOPIC_MISMATCH'],
    [
      'that is too long',
      async () => createRequest('tax', { resource: { metadata: { a: 'x'.repeat(60_000) } } }),
      413,
      'BODY_TOO_LARGE',
    ],
  ])('%s is refused in the form of the platform, and no handler runs', async (_, make, status, code) => {
    const handler = vi.fn(() => RATE)
    const responder = respondWith('tax', handler, { maxBodyBytes: 60_000, fallback: RATE })
    const { method, headers, body } = await make()
    const answer = read(await responder.receive({ method, headers, body }))
    expect(answer).toEqual({ status, body: { success: false, error: { code, message: expect.any(String) } } })
    expect(handler).not.toHaveBeenCalled()
  })

  it('of no form at all is answered', async () => {
    const answer = await respondWith('tax', RATE).receive(undefined as never)
    expect(answer.status).toBe(405)
  })

  it('of a probe is answered as by a receiver', async () => {
    const probe = await createProbe('orders.place', { secret: TEST_SECRET })
    expect(read(await respondWith('tax', RATE).receive(probe))).toEqual({ status: 200, body: { outcome: 'ignored' } })
  })

  it('is not taken for a webhook of the same secret', async () => {
    const delivery = await createDelivery('customers.create')
    expect(read(await respondWith('tax', RATE).receive(delivery)).body.error?.code).toBe('TOPIC_MISMATCH')
  })
})

describe('a refusal', () => {
  it('is answered 422 in the form of the platform, and is no failure', async () => {
    const { logger, lines } = createLines()
    const onError = vi.fn()
    const events: unknown[] = []
    const observers = [{ onEvent: ({ type }: { type: string }) => events.push(type) }]
    const value = refuse('OUT_OF_STOCK', 'The blue one is sold out.')
    const responder = respondWith('order-validation', value, { logger, onError, observers, fallback: {} })
    expect(await ask(responder, 'order-validation')).toEqual({
      status: 422,
      body: { success: false, error: { code: 'OUT_OF_STOCK', message: 'The blue one is sold out.' } },
    })
    expect(lines).toEqual([])
    expect(onError).not.toHaveBeenCalled()
    expect(events).toEqual(['received', 'handler-started', 'handler-finished', 'finished'])
  })

  it.each([
    ['', 'message'],
    ['CODE', ' '],
    [undefined, 'message'],
  ])('without text cannot be made: %s, %s', (code, message) => {
    expect(() => refuse(code as string, message)).toThrow(TypeError)
  })

  it('is not what an object of the same fields is', async () => {
    expect((await ask(respondWith('tax', { code: 'A', message: 'B' }), 'tax')).status).toBe(500)
  })
})

const FAILURES: readonly (readonly [what: string, handler: () => unknown, status: number, code: string])[] = [
  ['throws', () => Promise.reject(new Error('secret of the ERP')), 500, 'HANDLER_FAILED'],
  ['throws at once', raise(new Error('secret of the ERP')), 500, 'HANDLER_FAILED'],
  ['throws nothing', raise(undefined), 500, 'HANDLER_FAILED'],
  ['throws a PermanentError', raise(new PermanentError('secret of the ERP')), 500, 'HANDLER_FAILED'],
  ['never ends', () => new Promise(() => {}), 503, 'DEADLINE_EXCEEDED'],
  ['gives nothing', () => undefined, 500, 'INTERNAL_ERROR'],
  ['gives a wrong answer', () => ({ tax_rate: 20 }), 500, 'INTERNAL_ERROR'],
  ['gives more than 1 MiB', () => ({ ...RATE, metadata: { a: 'x'.repeat(2 ** 20) } }), 500, 'INTERNAL_ERROR'],
]

function raise(thrown: unknown): () => never {
  return () => {
    throw thrown
  }
}

describe.each(FAILURES)('a handler that %s', (_, handler, status, code) => {
  it('is answered with an error, if there is no fallback', async () => {
    const { logger, lines } = createLines()
    const sent = await ask(respondWith('tax', handler, { logger, deadlineMs: 100 }), 'tax')
    expect(sent).toMatchObject({ status, body: { success: false, error: { code } } })
    expect(JSON.stringify(sent)).not.toContain('secret of the ERP')
    expect(lines.map(({ severity }) => severity)).toEqual(['error'])
  })

  it('is replaced by the fallback, and told to the log, `onError` and observers', async () => {
    const { logger, lines } = createLines()
    const onError = vi.fn()
    const events: { type: string; outcome?: string; code?: string; consecutiveFailures?: number }[] = []
    const observers = [{ onEvent: (event: object) => events.push(event as never) }]
    const options = { logger, onError, observers, deadlineMs: 100, fallback: { tax_rate: 0.25 } }
    const sent = await ask(respondWith('tax', handler, options), 'tax')
    expect(sent).toEqual({ status: 200, body: { success: true, data: { tax_rate: 0.25 } } })
    expect(lines.map(({ message }) => message)).toEqual([
      expect.stringContaining(`orders.external_tax: ${status} ${code}`),
    ])
    expect(onError).toHaveBeenCalledTimes(1)
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code }), expect.anything())
    // Commerce Layer sees an answer.
    expect(events.at(-1)).toMatchObject({ type: 'finished', outcome: 'discarded', code, consecutiveFailures: 0 })
  })
})

describe('a fallback', () => {
  const fails = raise(new Error('down'))

  it('may be a refusal', async () => {
    const responder = respondWith('prices', fails, { fallback: refuse('LATER', 'No price now.') })
    expect(await ask(responder, 'prices')).toMatchObject({ status: 422, body: { error: { code: 'LATER' } } })
  })

  it('may be a function of the request', async () => {
    const responder = createResponder(
      'tax',
      {
        secret: TEST_SECRET,
        logger: SILENT,
        fallback: ({ resource }) => ({ line_items: resource.line_items.map(({ id }) => ({ id, tax_rate: 0.1 })) }),
      },
      fails,
    )
    const { status, body } = await ask(responder, 'tax')
    expect([status, body.data?.line_items]).toEqual([
      200,
      expect.arrayContaining([{ id: expect.any(String), tax_rate: 0.1 }]),
    ])
  })

  it.each([
    ['is wrong', { tax_rate: 20 }],
    ['throws', fails],
    ['gives a promise', () => Promise.resolve(RATE)],
  ])('that %s never leaves', async (_, fallback) => {
    const { logger, lines } = createLines()
    const sent = await ask(respondWith('tax', fails, { logger, fallback: fallback as typeof RATE }), 'tax')
    expect(sent).toMatchObject({ status: 500, body: { success: false, error: { code: 'HANDLER_FAILED' } } })
    expect(lines[0]?.message).toContain('The fallback cannot be used')
  })

  it('is answered when the deadline has passed, and not before', async () => {
    const responder = respondWith('tax', () => new Promise(() => {}), { deadlineMs: 300, fallback: RATE })
    const request = await createRequest('tax')
    const startedAt = performance.now()
    const answers = await Promise.all(Array.from({ length: 50 }, () => responder.receive(request)))
    const ms = performance.now() - startedAt
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    expect(ms).toBeGreaterThanOrEqual(299)
    expect(ms).toBeLessThan(1500)
  })

  it('is answered to a request that is late before its handler', async () => {
    const handler = vi.fn(() => ({ tax_rate: 0.9 }))
    const block = () => {
      const end = performance.now() + 60
      while (performance.now() < end);
    }
    const observers = [{ events: ['received' as const], onEvent: block }]
    const responder = respondWith('tax', handler, { deadlineMs: 50, fallback: RATE, observers })
    expect((await ask(responder, 'tax')).body.data).toEqual(RATE)
    expect(handler).not.toHaveBeenCalled()
  })

  it('aborts the signal of the late handler, which `close` waits for', async () => {
    let aborted = false
    let ended = false
    const handler = async (_: unknown, { signal }: { signal: AbortSignal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      aborted = true
      await sleep(50)
      ended = true
      return RATE
    }
    const responder = respondWith('tax', handler, { deadlineMs: 50, fallback: RATE })
    expect((await ask(responder, 'tax')).status).toBe(200)
    expect([aborted, ended]).toEqual([true, false])
    await responder.close()
    expect(ended).toBe(true)
    expect((await ask(responder, 'tax')).status).toBe(503)
  })
})

describe('failures in a row', () => {
  it('are told at 10, 20 and 25, and end with an answer, a refusal or a fallback', async () => {
    const levels: unknown[] = []
    const observers = [
      { events: ['breaker' as const], onEvent: (event: object) => levels.push((event as { level: unknown }).level) },
    ]
    let value: unknown
    const responder = respondWith('tax', () => value, { observers })
    for (let i = 0; i < 25; i++) await ask(responder, 'tax')
    expect(levels).toEqual([10, 20, 25])
    value = refuse('NO', 'No.')
    await ask(responder, 'tax')
    value = undefined
    for (let i = 0; i < 10; i++) await ask(responder, 'tax')
    expect(levels).toEqual([10, 20, 25, 10])
  })

  it('are not made by requests that are not genuine', async () => {
    const levels: unknown[] = []
    const observers = [{ events: ['breaker' as const], onEvent: (event: object) => levels.push(event) }]
    const responder = respondWith('tax', RATE, { observers })
    for (let i = 0; i < 30; i++) await ask(responder, 'tax', { secret: OTHER })
    expect(levels).toMatchObject([{ level: 'mismatch' }])
  })
})

describe('the answer cache', () => {
  it('gives the same bytes the same answer without a call, and other bytes their own', async () => {
    let calls = 0
    const handler = () => ({ tax_rate: ++calls / 10 })
    const responder = respondWith('tax', handler, { answerCacheMs: 60_000 })
    const first = await ask(responder, 'tax')
    expect(await ask(responder, 'tax')).toEqual(first)
    expect(await ask(responder, 'tax', { resource: { number: '2' } })).not.toEqual(first)
    expect(calls).toBe(2)
  })

  it('is off by default, and ends', async () => {
    let calls = 0
    const handler = () => ({ tax_rate: ++calls / 10 })
    const cached = respondWith('tax', handler, { answerCacheMs: 20 })
    await ask(cached, 'tax')
    await sleep(60)
    await ask(cached, 'tax')
    expect(calls).toBe(2)
    const uncached = respondWith('tax', handler)
    for (let i = 0; i < 2; i++) await ask(uncached, 'tax')
    expect(calls).toBe(4)
  })

  it('keeps refusals, and no fallback', async () => {
    const values = [undefined, refuse('A', 'a'), RATE]
    const responder = respondWith('tax', () => values.shift(), { answerCacheMs: 60_000, fallback: { tax_rate: 0 } })
    expect((await ask(responder, 'tax')).body.data).toEqual({ tax_rate: 0 })
    expect((await ask(responder, 'tax')).status).toBe(422)
    expect((await ask(responder, 'tax')).status).toBe(422)
  })

  it('answers nobody who has not signed', async () => {
    const responder = respondWith('tax', RATE, { answerCacheMs: 60_000 })
    const request = await createRequest('tax')
    expect((await responder.receive(request)).status).toBe(200)
    const forged = { ...request, headers: { ...request.headers, 'X-CommerceLayer-Signature': `${'A'.repeat(43)}=` } }
    expect((await responder.receive(forged)).status).toBe(401)
  })
})

describe('the secret', () => {
  it('may be a list, of several holders at one URL', async () => {
    const responder = respondWith('tax', RATE, { secret: [OTHER, TEST_SECRET] })
    expect((await ask(responder, 'tax')).status).toBe(200)
    expect((await ask(responder, 'tax', { secret: OTHER })).status).toBe(200)
    expect((await ask(responder, 'tax', { secret: `${OTHER}!` })).status).toBe(401)
  })

  it('may be a function, which is asked again after a mismatch', async () => {
    let secret = OTHER
    const responder = respondWith('tax', RATE, { secret: async () => secret, secretsCacheMs: 'none' })
    expect((await ask(responder, 'tax')).status).toBe(401)
    secret = TEST_SECRET
    expect((await ask(responder, 'tax')).status).toBe(200)
  })

  it('may be a function with a `refresh`', async () => {
    const secret = Object.assign(() => OTHER, { refresh: () => TEST_SECRET })
    expect((await ask(respondWith('tax', RATE, { secret }), 'tax')).status).toBe(200)
  })

  it('that cannot be looked up is answered 503', async () => {
    const responder = respondWith('tax', RATE, { secret: () => Promise.reject(new Error('down')) })
    expect(await ask(responder, 'tax')).toMatchObject({ status: 503, body: { error: { code: 'STORE_UNAVAILABLE' } } })
  })

  it('of one organization signs for no other', async () => {
    const secret = { secret: TEST_SECRET, organizationId: 'another' }
    expect((await ask(respondWith('tax', RATE, { secret }), 'tax')).status).toBe(401)
  })
})

describe('strangers', () => {
  const forge = async () => {
    const { method, headers } = await createRequest('tax')
    return { method, headers: { ...headers, 'X-CommerceLayer-Signature': `${'A'.repeat(43)}=` } }
  }

  it('keep no request from its answer with bodies that do not end', async () => {
    const responder = respondWith('tax', RATE, { bodyTimeoutMs: 500 })
    const forged = await forge()
    const endless = () => new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array(100)) })
    const held = Array.from({ length: 1000 }, () => responder.receive({ ...forged, body: endless() as never }))
    expect((await ask(responder, 'tax')).status).toBe(200)
    const statuses = (await Promise.all(held)).map(({ status }) => status)
    expect(statuses.filter((status) => status < 400)).toEqual([])
  })

  it('reach no handler and no fallback, and get no text of the shop', async () => {
    const handler = vi.fn(() => RATE)
    const fallback = vi.fn(() => refuse('GONE', 'Of the shop'))
    const responder = respondWith('tax', handler, { fallback })
    const { body } = await createRequest('tax')
    for (const given of [body, '{}', '[['.repeat(100_000), '{"data":{"__proto__":{}}}', new Uint8Array(1000)]) {
      const answer = read(await responder.receive({ ...(await forge()), body: given as never }))
      expect(answer.status).toBe(401)
      expect(JSON.stringify(answer)).not.toContain('Of the shop')
    }
    expect(handler).not.toHaveBeenCalled()
    expect(fallback).not.toHaveBeenCalled()
  })
})

it('a request of another kind is refused by a responder with the same secret', async () => {
  const handler = vi.fn(() => RATE)
  for (const kind of ['prices', 'shipping-cost'] as const) {
    const answer = read(await respondWith('tax', handler).receive(await createRequest(kind)))
    expect(answer.status).toBe(400)
  }
  expect(handler).not.toHaveBeenCalled()
})

it('a failed handler tells Commerce Layer nothing of what it threw', async () => {
  const handler = () => {
    throw Object.assign(new Error('No price for zoe@example.com'), { code: 'zoe', hint: 'zoe', status: 200 })
  }
  const { logger, lines } = createLines()
  const answer = await ask(respondWith('tax', handler, { logger }), 'tax')
  expect(answer.status).toBe(500)
  expect(JSON.stringify(answer)).not.toContain('zoe')
  expect(lines).toHaveLength(1)
})

describe('external includes', () => {
  const handler = vi.fn(() => RATE)

  it('that are in the request let it pass', async () => {
    const responder = createResponder(
      'tax',
      { secret: TEST_SECRET, externalIncludes: ['customer.customer_group?'] },
      handler,
    )
    expect((await ask(responder, 'tax', { include: ['customer.customer_group'] })).status).toBe(200)
  })

  it('that are not are an error that names the holder', async () => {
    const { logger, lines } = createLines()
    handler.mockClear()
    const options = { secret: TEST_SECRET, logger, externalIncludes: ['line_items.line_item_options'] as const }
    const sent = await ask(createResponder('tax', options, handler), 'tax')
    expect(sent).toMatchObject({ status: 500, body: { error: { code: 'INCLUDE_MISSING' } } })
    expect(lines[0]?.message).toContain('Set `external_includes` of its holder')
    expect(handler).not.toHaveBeenCalled()
  })
})

describe('createResponder throws', () => {
  const secret = TEST_SECRET
  it.each([
    ['an unknown kind', 'payment', { secret }, 'the kind must be one of prices'],
    ['a name of all objects as its kind', 'toString', { secret }, 'the kind must be one of prices'],
    ['no secret', 'tax', {}, '`secret` is not set'],
    ['a weak secret', 'tax', { secret: 'short' }, '`secret` is shorter than 16'],
    ['no options', 'tax', undefined, 'the options must be an object'],
    ['an unknown option', 'tax', { secret, fallbak: {} }, 'Did you mean `fallback`?'],
    ['a deadline of no time', 'tax', { secret, deadlineMs: 0 }, '`deadlineMs` must be a whole number over 0'],
    ['a cache of a fraction', 'tax', { secret, answerCacheMs: 0.5 }, '`answerCacheMs` must be a whole number'],
    ['includes that are no paths', 'tax', { secret, externalIncludes: ['A b'] }, '`externalIncludes` must be a list'],
    ['an `onError` that is no function', 'tax', { secret, onError: {} }, '`onError` must be a function'],
    ['a budget below one body', 'tax', { secret, maxUnverifiedBytes: 5 }, 'must not be less than `maxBodyBytes`'],
  ])('for %s', (_, kind, options, message) => {
    expect(() => createResponder(kind as 'tax', options as { secret: string }, () => RATE)).toThrow(message)
    expect(() => createResponder(kind as 'tax', options as { secret: string }, () => RATE)).toThrow(TypeError)
  })

  it('for a handler that is no function', () => {
    expect(() => createResponder('tax', { secret }, {} as never)).toThrow('the handler is not a function')
  })
})
