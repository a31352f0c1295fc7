import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { readSignedHeaders } from '../../../src/core/verify/authenticate.ts'
import {
  CART,
  delivery,
  idOf,
  OTHER_SECRET,
  rejection,
  SECRET,
  signed,
  thrownBy,
  withHeaders,
} from '../../deliveries.ts'
import { inBothRuntimes } from '../../runtimes.ts'

const signature = signed('{}')

describe('readSignedHeaders', () => {
  it('gives the topic and the signature of the headers', () => {
    const headers = { 'X-CommerceLayer-Topic': 'orders.place', 'X-CommerceLayer-Signature': signature }
    expect(readSignedHeaders(headers)).toEqual({ topic: 'orders.place', signature })
  })

  it.each([
    ['no signature', {}, 'SIGNATURE_MISSING', 401],
    ['an empty signature', { 'x-commercelayer-signature': '' }, 'SIGNATURE_MISSING', 401],
    ['no topic', { 'x-commercelayer-signature': signature }, 'TOPIC_MISSING', 400],
    ['an empty topic', { 'x-commercelayer-signature': signature, 'x-commercelayer-topic': '' }, 'TOPIC_MISSING', 400],
  ])('refuses headers with %s', (_, headers, code, status) => {
    expect(thrownBy(() => readSignedHeaders(headers))).toMatchObject({ code, status })
  })

  it.each([
    'orders',
    'orders.',
    '.place',
    'orders.place.now',
    'Orders.place',
    'orders.Place',
    'orders place',
    'orders.place ',
    ' orders.place',
    'orders.place\n',
    'orders.*',
    '*',
    '1orders.place',
    'orders-place',
    'órders.place',
    '__proto__.x',
    'orders.place, orders.place',
    `${'a'.repeat(99)}.b`,
  ])('refuses the malformed topic %j', (topic) => {
    const headers = { 'x-commercelayer-signature': signature, 'x-commercelayer-topic': topic }
    expect(thrownBy(() => readSignedHeaders(headers))).toMatchObject({ code: 'TOPIC_INVALID', status: 400 })
  })

  it.each(['a.b', 'orders.place', 'sku_2_lists.tagged_2', `${'a'.repeat(98)}.b`])('accepts the topic %s', (topic) => {
    const headers = { 'x-commercelayer-signature': signature, 'x-commercelayer-topic': topic }
    expect(readSignedHeaders(headers).topic).toBe(topic)
  })
})

describe.each(await inBothRuntimes(() => import('hooklayer')))('verify on %s', (_, { verify }) => {
  const request = delivery('orders.place', CART)

  it('gives a delivery with its topic, bytes, time and id', async () => {
    const before = Date.now()
    const { body, topic, receivedAt, id } = await verify(request.body, request.headers, SECRET)
    expect(body).toEqual(request.body)
    expect(topic).toBe('orders.place')
    expect(receivedAt.getTime()).toBeGreaterThanOrEqual(before)
    expect(receivedAt.getTime()).toBeLessThanOrEqual(Date.now())
    expect(id).toBe(idOf('orders.place', request.body))
  })

  it('accepts the body as text', async () => {
    const text = new TextDecoder().decode(request.body)
    expect((await verify(text, request.headers, SECRET)).id).toBe(idOf('orders.place', request.body))
  })

  it('gives the same id to the same topic and bytes, and another id to another topic or other bytes', async () => {
    const secrets = { 'orders.place': SECRET, 'orders.pay': SECRET }
    const verifyAndGetId = async ({ body, headers }: typeof request) => (await verify(body, headers, secrets)).id
    const ids = await Promise.all(
      [
        request,
        delivery('orders.place', CART),
        delivery('orders.pay', CART),
        delivery('orders.place', { data: CART.data }),
      ].map(verifyAndGetId),
    )
    expect(ids[1]).toBe(ids[0])
    expect(new Set(ids).size).toBe(3)
  })

  it('accepts each secret of a list, so that one can replace another', async () => {
    for (const secrets of [
      [SECRET, OTHER_SECRET],
      [OTHER_SECRET, SECRET],
    ]) {
      expect((await verify(request.body, request.headers, secrets)).topic).toBe('orders.place')
    }
  })

  it('accepts only a secret of the topic, so that a delivery cannot be replayed under another topic', async () => {
    const secrets = { 'orders.place': SECRET, 'orders.pay': OTHER_SECRET }
    const replayed = withHeaders(request, { 'x-commercelayer-topic': 'orders.pay' })
    expect(await rejection(verify(replayed.body, replayed.headers, secrets))).toMatchObject({
      code: 'SIGNATURE_MISMATCH',
    })
  })

  it('calls a look-up function with the topic', async () => {
    const topics: string[] = []
    const lookUp = async (topic: string) => {
      topics.push(topic)
      await sleep(1)
      return SECRET
    }
    await verify(request.body, request.headers, lookUp)
    expect(topics).toEqual(['orders.place'])
  })

  it('refuses a topic that has no secret', async () => {
    for (const secrets of [{ 'orders.pay': SECRET }, () => undefined, async () => []]) {
      const error = await rejection(verify(request.body, request.headers, secrets))
      expect(error).toMatchObject({ code: 'SECRET_UNKNOWN', status: 401 })
    }
  })

  it('rejects with a TypeError when the secret is not set', async () => {
    expect(await rejection(verify(request.body, request.headers, process.env.HOOKLAYER_NOT_SET))).toBeInstanceOf(
      TypeError,
    )
  })

  it('refuses a body that was already parsed', async () => {
    const error = await rejection(verify(CART as never, request.headers, SECRET))
    expect(error).toMatchObject({ code: 'BODY_ALREADY_PARSED' })
  })
})
