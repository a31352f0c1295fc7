import middy from '@middy/core'
import httpJsonBodyParser from '@middy/http-json-body-parser'
import type {
  ALBEvent,
  ALBResult,
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  APIGatewayProxyResult,
  APIGatewayProxyStructuredResultV2,
  Context,
  LambdaFunctionURLEvent,
  LambdaFunctionURLResult,
} from 'aws-lambda'
import { createLambdaHandler } from 'hooklayer/lambda'
import { describe, expect, it } from 'vitest'
import type { LambdaEvent } from '../../src/bridge/aws.ts'
import { testAdapter } from '../contracts/adapter/adapter.ts'
import { HANDLED, ORDER, type Sent, UNSIGNED } from '../contracts/adapter/deliveries.ts'
import { digestOf } from '../contracts/adapter/harness.ts'
import { type Limitations, NO_BACKGROUND } from '../contracts/adapter/host.ts'
import { EVENTS, type MakeEvent } from '../contracts/adapter/lambda-events.ts'
import { startLambda } from '../contracts/adapter/lambda-front.ts'
import { withHeaders } from '../deliveries.ts'
import { createRecorder } from './mounts.ts'

const LIMITATIONS: Limitations = {
  ...NO_BACKGROUND,
  'streamed bodies': 'an event has its whole body',
  draining: 'what is in front of a Lambda reads the whole body first',
}

for (const [kind, makeEvent] of Object.entries(EVENTS)) {
  const limitations: Limitations = kind.endsWith('Load Balancer')
    ? { ...LIMITATIONS, 'repeated headers': 'a load balancer passes on the last of them, unless told otherwise' }
    : LIMITATIONS
  testAdapter(`Lambda, behind ${kind}`, () => startLambda(makeEvent), { limitations })
}

/** Makes the event for a request. */
function eventOf(makeEvent: MakeEvent, { headers, body }: Sent, method = 'POST') {
  return makeEvent({ method, headers, body, fields: Object.entries(headers) })
}

describe.each(Object.entries(EVENTS))('Lambda, given the event of %s,', (kind, makeEvent) => {
  const isMulti = kind.includes('REST') || kind.includes('multi')
  const resultOf = (statusCode: number, body: string, more: Record<string, string> = {}) => {
    const headers = { 'content-type': 'application/json', ...more }
    return {
      statusCode,
      ...(isMulti
        ? { multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])) }
        : { headers }),
      body,
      isBase64Encoded: false,
    }
  }

  it.each([
    ['a plain body', ORDER, false],
    ['a body in base64', withHeaders(ORDER, { 'content-type': 'application/octet-stream' }), true],
  ])('passes %s to its handler, and answers in the form of that event', async (_, sent, isBase64Encoded) => {
    const { receiver, handled } = createRecorder()
    const event = eventOf(makeEvent, sent)
    expect(event.isBase64Encoded ?? event.is_base64_encoded).toBe(isBase64Encoded)
    expect(await createLambdaHandler(receiver)(event)).toStrictEqual(resultOf(200, HANDLED))
    expect(handled.map(digestOf)).toEqual([digestOf(sent.body)])
  })

  it('answers a refusal in that form, too', async () => {
    const { receiver, errors } = createRecorder()
    const error = '{"error":{"code":"SIGNATURE_MISSING","message":"The X-CommerceLayer-Signature header is missing."}}'
    const result = await createLambdaHandler(receiver)(eventOf(makeEvent, UNSIGNED))
    expect(result).toStrictEqual(resultOf(401, error))
    expect(errors).toEqual(['SIGNATURE_MISSING'])
  })

  it('reads the method of the request', async () => {
    const { receiver } = createRecorder()
    const result = await createLambdaHandler(receiver)(
      eventOf(makeEvent, { headers: {}, body: Buffer.alloc(0) }, 'GET'),
    )
    const error = '{"error":{"code":"METHOD_NOT_ALLOWED","message":"Only POST is allowed."}}'
    expect(result).toStrictEqual(resultOf(405, error, { allow: 'POST' }))
  })

  it('never refuses a body parser in front of it without naming it', async () => {
    const { receiver, errors, hints } = createRecorder()
    const handler = middy()
      .use(httpJsonBodyParser({ disableContentTypeCheck: true } as object))
      .handler(createLambdaHandler(receiver))
    const event = eventOf(makeEvent, ORDER)
    expect(await handler(event as never, {} as never)).toMatchObject({ statusCode: 500 })
    expect(errors).toEqual(['BODY_ALREADY_PARSED'])
    expect([...hints]).toEqual([expect.stringMatching(/^In Lambda, .*`httpJsonBodyParser\(\)`/)])
  })
})

describe('Lambda, given headers in two fields,', () => {
  const { headers, body } = ORDER
  const [[name, value], ...others] = Object.entries(headers) as [[string, string], ...[string, string][]]
  const upperCased = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]))
  const lists = (fields: readonly (readonly [string, string])[]) =>
    Object.fromEntries(fields.map(([name, value]) => [name, [value]]))

  it.each<[string, LambdaEvent, 'headers' | 'multiValueHeaders']>([
    ['`multiValueHeaders` that is empty', { headers, multiValueHeaders: {} }, 'headers'],
    ['`multiValueHeaders` that is null', { headers, multiValueHeaders: null }, 'headers'],
    [
      'one of them in `multiValueHeaders` only',
      { headers, multiValueHeaders: lists([[name, value]]) },
      'multiValueHeaders',
    ],
    [
      'each in one of the two only',
      { headers: Object.fromEntries(others), multiValueHeaders: lists([[name, value]]) },
      'multiValueHeaders',
    ],
    [
      'a header that is absent in one of the two',
      { headers, multiValueHeaders: { ...lists(others), [name]: null } },
      'multiValueHeaders',
    ],
    [
      'both, in another case each',
      { headers: upperCased, multiValueHeaders: lists(Object.entries(headers)) },
      'multiValueHeaders',
    ],
    [
      '`headers` that is null',
      { headers: null, multiValueHeaders: lists(Object.entries(headers)) },
      'multiValueHeaders',
    ],
  ])('never misses or repeats one: %s', async (_, fields, answeredIn) => {
    const { receiver, handled } = createRecorder()
    const event = { httpMethod: 'POST', ...fields, body: Buffer.from(body).toString() }
    const result = await createLambdaHandler(receiver)(event)
    expect(result).toMatchObject({ statusCode: 200, [answeredIn]: expect.anything() })
    expect(handled.map(digestOf)).toEqual([digestOf(body)])
  })

  it('still takes a signature that is sent twice for malformed', async () => {
    const { receiver, errors } = createRecorder()
    const twice = {
      'x-commercelayer-signature': [headers['x-commercelayer-signature'], headers['x-commercelayer-signature']],
    }
    const event = { httpMethod: 'POST', headers, multiValueHeaders: twice as never, body: Buffer.from(body).toString() }
    expect(await createLambdaHandler(receiver)(event)).toMatchObject({ statusCode: 401 })
    expect(errors).toEqual(['SIGNATURE_MISMATCH'])
  })
})

it.each([false, true])(
  'takes the text that a body parser has kept in `rawBody` (base64: %s)',
  async (isBase64Encoded) => {
    const { receiver, handled } = createRecorder()
    const rawBody = Buffer.from(ORDER.body).toString(isBase64Encoded ? 'base64' : 'utf8')
    const body = JSON.parse(Buffer.from(ORDER.body).toString())
    const event = { httpMethod: 'POST', headers: ORDER.headers, rawBody, body, isBase64Encoded }
    expect(await createLambdaHandler(receiver)(event)).toMatchObject({ statusCode: 200 })
    expect(handled.map(digestOf)).toEqual([digestOf(ORDER.body)])
  },
)

it('has the types of @types/aws-lambda', () => {
  const handler = createLambdaHandler(createRecorder().receiver)
  const rest: (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult> = handler
  const http: (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2> = handler
  const url: (event: LambdaFunctionURLEvent, context: Context) => Promise<LambdaFunctionURLResult> = handler
  const balancer: (event: ALBEvent, context: Context) => Promise<ALBResult> = handler
  expect([rest, http, url, balancer]).toEqual([handler, handler, handler, handler])
})

it('is a Lambda handler of at most two arguments, as Node 24 requires', () => {
  expect(createLambdaHandler(createRecorder().receiver).length).toBeLessThanOrEqual(2)
})

it('answers an event that is not of HTTP, and does not throw', async () => {
  const handler = createLambdaHandler(createRecorder().receiver)
  expect(await handler({})).toMatchObject({ statusCode: 405 })
})

it('refuses messages of SQS, which would be deleted after an answer', async () => {
  const handler = createLambdaHandler(createRecorder().receiver)
  await expect(handler({ Records: [{ eventSource: 'aws:sqs', body: '{}' }] })).rejects.toThrow(
    new TypeError('This event has `Records`, and is no HTTP request. Give each message to `receiver.handleStored`.'),
  )
})
