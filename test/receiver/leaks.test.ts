import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { type createReceiver, type ErrorCode, type ErrorHandler, isWebhookError, type ReceiverOptions } from 'hooklayer'
import type { WebhookRequest } from 'hooklayer/drivers'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { describe, expect, it } from 'vitest'
import { ERRORS } from '../../src/core/outcomes.ts'
import {
  bytes,
  delivery,
  nested,
  order,
  recordingLogger,
  rejection,
  type SignedRequest,
  signed,
  thrownBy,
  withHeaders,
} from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'

/** Marks in the body and in the secrets. Neither they nor a signature may be in the answer, the log or the errors. */
const BODY_MARK = 'bodymark7f3a'
const SECRET_MARK = 'secretmark9c1d'
const PLACE = `${SECRET_MARK}-place`
const PAY = `${SECRET_MARK}-pay`

const document = {
  data: order({ attributes: { number: BODY_MARK, [`${BODY_MARK}_float`]: 20, metadata: [BODY_MARK] } }),
}
const genuine = delivery('orders.place', document, PLACE)
const text = new TextDecoder().decode(genuine.body)
const genuineWith = (body: string | Uint8Array | object, topic = 'orders.place') => delivery(topic, body, PLACE)
const withSignature = (signature: string | undefined, body = genuine.body) => ({
  ...withHeaders(genuine, { 'x-commercelayer-signature': signature }),
  body,
})
const signatureOf = ({ headers }: SignedRequest) => headers['x-commercelayer-signature'] ?? ''

interface Case {
  readonly name: string
  readonly expected: string
  /** The code in the answer, if it is another one. */
  readonly answered?: string
  readonly request: Omit<WebhookRequest, 'headers'> & { readonly headers: Record<string, string> }
  readonly options?: Partial<ReceiverOptions>
  readonly handler?: () => unknown
  readonly prepare?: (receiver: ReturnType<typeof createReceiver>) => unknown
}

const throwing = (thrown: unknown) => () => {
  throw thrown
}

function casesWith({ PermanentError, WebhookError }: typeof import('hooklayer')): Case[] {
  const cut = (body: string) => body.slice(0, -8)
  let start = () => {}
  const started = new Promise<void>((resolve) => {
    start = resolve
  })
  return [
    { name: 'a handled delivery', expected: 'handled', request: genuine },
    { name: 'an ignored delivery', expected: 'ignored', request: genuineWith(document, 'orders.cancel') },
    {
      name: 'a discarded delivery',
      expected: 'discarded',
      request: genuine,
      handler: throwing(new PermanentError('It is a test order.')),
    },
    { name: 'a method that is not POST', expected: 'METHOD_NOT_ALLOWED', request: { ...genuine, method: 'PUT' } },
    { name: 'a large body', expected: 'BODY_TOO_LARGE', request: genuine, options: { maxBodyBytes: 10 } },
    {
      name: 'an encoded body',
      expected: 'ENCODING_UNSUPPORTED',
      request: withHeaders(genuine, { 'content-encoding': 'br' }),
    },
    {
      name: 'an aborted body',
      expected: 'BODY_ABORTED',
      request: { ...genuine, body: () => Promise.reject(new WebhookError('BODY_ABORTED')) },
    },
    {
      name: 'a stalled body',
      expected: 'BODY_TIMEOUT',
      request: { ...genuine, body: () => new Promise(() => {}) },
      options: { bodyTimeoutMs: 5 },
    },
    { name: 'a parsed body', expected: 'BODY_ALREADY_PARSED', request: { ...genuine, body: document as never } },
    { name: 'no signature', expected: 'SIGNATURE_MISSING', request: withSignature(undefined) },
    {
      name: 'a forged signature',
      expected: 'SIGNATURE_MISMATCH',
      request: withSignature(signed(genuine.body, 'forged')),
    },
    {
      name: 'a malformed signature',
      expected: 'SIGNATURE_MISMATCH',
      request: withSignature(`${signatureOf(genuine)}!`),
    },
    {
      name: 'a signature with another secret',
      expected: 'SIGNATURE_MISMATCH',
      request: withSignature(signed(genuine.body, PAY)),
    },
    {
      name: 'a signature in hex',
      expected: 'SIGNATURE_MISMATCH',
      request: withSignature(Buffer.from(signatureOf(genuine), 'base64').toString('hex')),
    },
    {
      name: 'a body that was serialized again',
      expected: 'SIGNATURE_MISMATCH',
      request: withSignature(signed(text.replace('20', '20.0'), PLACE)),
    },
    {
      name: 'a body in base64',
      expected: 'SIGNATURE_MISMATCH',
      request: withSignature(signatureOf(genuine), bytes(Buffer.from(text).toString('base64'))),
    },
    { name: 'an empty body', expected: 'SIGNATURE_MISMATCH', request: withSignature(signatureOf(genuine), bytes('')) },
    {
      name: 'whitespace around the secret',
      expected: 'SECRET_UNKNOWN',
      answered: 'SIGNATURE_MISMATCH',
      request: genuine,
      options: { secrets: () => `${PLACE}\n` },
    },
    {
      name: 'no secret',
      expected: 'SECRET_UNKNOWN',
      answered: 'SIGNATURE_MISMATCH',
      request: genuine,
      options: { secrets: { 'orders.pay': PAY } },
    },
    {
      name: 'a look-up that fails',
      expected: 'STORE_UNAVAILABLE',
      request: genuine,
      options: { secrets: () => Promise.reject(new Error('vault')) },
    },
    {
      name: 'no topic',
      expected: 'TOPIC_MISSING',
      request: withHeaders(genuine, { 'x-commercelayer-topic': undefined }),
    },
    {
      name: 'a malformed topic',
      expected: 'TOPIC_INVALID',
      request: withHeaders(genuine, { 'x-commercelayer-topic': `${BODY_MARK}!` }),
    },
    {
      name: 'a resource of another type',
      expected: 'TOPIC_MISMATCH',
      request: genuineWith({ data: { id: BODY_MARK, type: BODY_MARK } }),
    },
    { name: 'JSON cut short', expected: 'DOCUMENT_INVALID', request: genuineWith(cut(text)) },
    { name: 'text', expected: 'DOCUMENT_INVALID', request: genuineWith(BODY_MARK) },
    { name: 'a JSON string', expected: 'DOCUMENT_INVALID', request: genuineWith(`"${BODY_MARK}"`) },
    { name: 'other JSON', expected: 'DOCUMENT_INVALID', request: genuineWith({ [BODY_MARK]: BODY_MARK }) },
    {
      name: 'malformed data',
      expected: 'DOCUMENT_INVALID',
      request: genuineWith({ data: { id: [BODY_MARK], type: { [BODY_MARK]: 1 } } }),
    },
    {
      name: 'malformed included resources',
      expected: 'DOCUMENT_INVALID',
      request: genuineWith({ ...document, included: { [BODY_MARK]: BODY_MARK } }),
    },
    { name: 'invalid UTF-8', expected: 'DOCUMENT_INVALID', request: genuineWith(Uint8Array.of(...bytes(text), 0xff)) },
    { name: 'a byte order mark', expected: 'DOCUMENT_INVALID', request: genuineWith(`\uFEFF${text}`) },
    {
      name: 'a missing include',
      expected: 'INCLUDE_MISSING',
      request: genuine,
      prepare: (receiver) => receiver.on('orders.place', { include: ['customer'] }, () => {}),
    },
    {
      name: 'a failing handler',
      expected: 'HANDLER_FAILED',
      request: genuine,
      handler: throwing(new Error('database')),
    },
    {
      name: 'an error of the receiver itself',
      expected: 'INTERNAL_ERROR',
      request: genuine,
      options: {
        idempotency: {
          store: createMemoryStore(),
          key: () => {
            throw new Error('The key failed')
          },
        },
      },
    },
    { name: 'a broken body', expected: 'BODY_ABORTED', request: { ...genuine, body: (() => 1) as never } },
    {
      name: 'an event that is already being handled',
      expected: 'IN_PROGRESS',
      request: genuine,
      options: { idempotency: { store: createMemoryStore() }, deadlineMs: 200 },
      handler: () => {
        start()
        return new Promise((resolve) => setTimeout(resolve, 300))
      },
      prepare: (receiver) => {
        receiver.receive(genuine)
        return started
      },
    },
    {
      name: 'a late handler',
      expected: 'DEADLINE_EXCEEDED',
      request: genuine,
      options: { deadlineMs: 100 },
      handler: () => new Promise((resolve) => setTimeout(resolve, 150)),
    },
    {
      name: 'too many deliveries at once',
      expected: 'OVERLOADED',
      request: genuine,
      options: { maxInFlight: 1 },
      handler: () => new Promise((resolve) => setTimeout(resolve, 300)),
      prepare: (receiver) => {
        receiver.receive(genuine)
        return sleep(50) // Signatures that WebCrypto computes at the same time may be ready in any order.
      },
    },
    { name: 'shutting down', expected: 'SHUTTING_DOWN', request: genuine, prepare: (receiver) => receiver.close() },
  ]
}

describe.each(await inBothRuntimes(() => import('hooklayer')))('nothing leaks on %s', (_, hooklayer) => {
  const cases = casesWith(hooklayer)

  it.each(cases)('into the answer, the log or an error: $name', async (one) => {
    const { logger, lines } = recordingLogger()
    const errors: Parameters<ErrorHandler>[0][] = []
    const secrets = { 'orders.place': [PLACE], 'orders.pay': PAY, 'orders.cancel': PLACE }
    const receiver = hooklayer
      .createReceiver({ secrets, logger, ...one.options })
      .onError((error) => errors.push(error), { unverified: true })
    receiver.on('orders.place', one.handler ?? (() => {}))
    await one.prepare?.(receiver)
    const { request } = one
    const answer = await receiver.receive(request)
    const { outcome, error } = JSON.parse(answer.body)
    expect(outcome ?? error.code).toBe(one.answered ?? one.expected)
    if (one.answered) expect(errors).toMatchObject([{ code: one.expected }])
    if (!one.prepare) await receiver.close()

    const outputs = [answer, lines, errors].map((value) =>
      inspect(value, { depth: 10, maxStringLength: null, showHidden: true }),
    )
    const signature = request.headers['x-commercelayer-signature']
    for (const output of outputs) {
      expect(output).not.toContain(BODY_MARK)
      expect(output).not.toContain(SECRET_MARK)
      if (signature) expect(output).not.toContain(signature.slice(0, 20))
      expect(output).not.toContain(signed(genuine.body, PLACE))
    }
    for (const { message, hint } of errors.filter(isWebhookError))
      expect(answer.body).not.toContain(hint ?? `not ${message}`)
  })

  it('for any code of the table of errors, because each code has a case here', () => {
    const tried = new Set(cases.map(({ expected }) => expected))
    const codes = Object.keys(ERRORS) as ErrorCode[]
    // These two are no answers to a request.
    expect(codes.filter((code) => !tried.has(code))).toEqual(['BODY_DAMAGED', 'NO_HANDLER'])
  })

  it.each([
    { code: 'BODY_DAMAGED', change: { body: BODY_MARK } },
    { code: 'BODY_DAMAGED', change: { receivedAt: BODY_MARK } },
    { code: 'TOPIC_INVALID', change: { topic: BODY_MARK } },
    { code: 'SIGNATURE_MISMATCH', change: { signature: SECRET_MARK } },
    { code: 'SIGNATURE_MISMATCH', change: {} },
  ])('from a stored delivery that is refused: $code because of $change', async ({ code, change }) => {
    const { logger, lines } = recordingLogger()
    const key = SECRET_MARK.repeat(10)
    const verifyStored = { key, unsigned: 'refuse' } as const
    const errors: unknown[] = []
    const receiver = hooklayer.createReceiver({ secrets: PLACE, logger, verifyStored })
    receiver.onError((...given) => errors.push(...given))
    const stored = { topic: 'orders.place', body: Buffer.from(BODY_MARK), receivedAt: new Date(), ...change }
    const thrown = await rejection(receiver.handleStored(stored as never))
    expect(thrown).toMatchObject({ code })
    const output = inspect([thrown, lines, errors], { depth: 10, maxStringLength: null, showHidden: true })
    expect(output).not.toContain(BODY_MARK)
    expect(output).not.toContain(SECRET_MARK)
  })

  it('from a secret that `createReceiver` refuses', () => {
    for (const secret of [`${PLACE}\n`, [PLACE, ''], { 'orders.place': ` ${PLACE}` }, { 'orders.place': [PLACE, 1] }]) {
      const error = thrownBy(() => hooklayer.createReceiver({ secrets: secret as string }))
      expect(inspect(error, { depth: 10 })).not.toContain(SECRET_MARK)
    }
  })

  it('from a document that has no id because it is nested too deep', async () => {
    const { body, headers } = genuineWith(nested(600).replace('2001', BODY_MARK))
    const error = await hooklayer
      .verify(body, headers, PLACE)
      .then(hooklayer.parse)
      .then(
        ({ id }) => id,
        (thrown: unknown) => thrown,
      )
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'DOCUMENT_INVALID' })
    expect(inspect(error, { depth: 10 })).not.toContain(BODY_MARK)
  })
})
