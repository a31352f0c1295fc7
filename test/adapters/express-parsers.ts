import { gzipSync } from 'node:zlib'
import type { RequestHandler } from 'express'
import { describe, expect, it } from 'vitest'
import { HANDLED, ORDER, orderText, PARSED, type Sent, sentAs, UNSIGNED } from '../contracts/adapter/deliveries.ts'
import { digestOf, send, wait } from '../contracts/adapter/harness.ts'
import { withHeaders } from '../deliveries.ts'
import type { Apps } from './express-apps.ts'

/** Body parsers that are mounted in front of the receiver, and what they leave of the body. */
export function testParsers({ express, behind }: Apps): void {
  describe('it finds the signed bytes', () => {
    const verify = (kept: (bytes: Buffer) => unknown) =>
      express.json({
        verify: (request, _, bytes) => {
          Object.assign(request, { rawBody: kept(bytes) })
        },
      })
    it.each<[string, RequestHandler]>([
      ['that express.json({ verify }) kept in `req.rawBody`', verify((bytes) => bytes)],
      ['that it kept there as text', verify((bytes) => bytes.toString('utf8'))],
      ['of express.raw()', express.raw({ type: '*/*' })],
      ['of express.text()', express.text({ type: '*/*' })],
      ['behind express.json() for another content type', express.json({ type: 'application/vnd.other+json' })],
      ['behind express.urlencoded()', express.urlencoded({ extended: true })],
      [
        'behind a middleware that is asynchronous',
        async (_, __, next) => {
          await wait(50)
          next()
        },
      ],
      [
        'behind a middleware that listens to the stream too',
        (request, _, next) => {
          request.on('data', () => {})
          next()
        },
      ],
      [
        'behind a middleware that makes an object of its own of `req.body`',
        (request, _, next) => {
          request.body = { made: 'up' }
          next()
        },
      ],
    ])('%s', async (_, front) => {
      const { url, handled, errors } = await behind(front)
      const answer = await send({ url }, ORDER)
      expect([answer.status, answer.text]).toEqual([200, HANDLED])
      expect(handled.map(digestOf)).toEqual([digestOf(ORDER.body)])
      expect(errors).toEqual([])
    })

    it('in `req.rawBody` rather than in `req.body`', async () => {
      const { url, handled } = await behind((request, _, next) => {
        Object.assign(request, { rawBody: ORDER.body, body: Buffer.from('something else') })
        next()
      })
      expect((await send({ url }, ORDER)).text).toBe(HANDLED)
      expect(handled.map(digestOf)).toEqual([digestOf(ORDER.body)])
    })

    it.each([
      ['express.raw()', express.raw({ type: '*/*' })],
      ['express.text()', express.text({ type: '*/*' })],
    ])('and refuses a forgery that %s has read', async (_, front) => {
      const { url, handled } = await behind(front)
      const answer = await send({ url }, { ...ORDER, body: Buffer.from(orderText({ id: 'FoRgEdIdAa' })) })
      expect([answer.status, answer.body.error.code]).toEqual([401, 'SIGNATURE_MISMATCH'])
      expect(handled).toEqual([])
    })

    it('and applies its own limit to what express.raw() has read', async () => {
      const { url } = await behind(express.raw({ type: '*/*' }), { maxBodyBytes: 100 })
      const answer = await send({ url }, ORDER)
      expect([answer.status, answer.body.error.code]).toEqual([413, 'BODY_TOO_LARGE'])
    })

    it('and refuses a compressed body that express.raw() has inflated', async () => {
      const { url, handled } = await behind(express.raw({ type: '*/*' }))
      const sent = withHeaders({ ...ORDER, body: gzipSync(ORDER.body) }, { 'content-encoding': 'gzip' })
      const answer = await send({ url }, sent)
      expect([answer.status, answer.body.error.code]).toEqual([415, 'ENCODING_UNSUPPORTED'])
      expect(handled).toEqual([])
    })
  })

  describe('it answers at once that the bytes are gone', () => {
    const form = sentAs('orders.place', 'data=1')
    const cases: readonly (readonly [string, RequestHandler, Sent])[] = [
      ['behind express.json()', express.json(), ORDER],
      [
        'behind express.json() with an order of 90 kB',
        express.json(),
        sentAs('orders.place', orderText({ padding: 9e4 })),
      ],
      ['behind express.json() with an empty body', express.json(), sentAs('orders.place', '')],
      [
        'behind express.urlencoded()',
        express.urlencoded({ extended: true }),
        withHeaders(form, { 'content-type': 'application/x-www-form-urlencoded' }),
      ],
      [
        'behind a middleware that has read the stream, and left nothing',
        async (request, _, next) => {
          for await (const chunk of request) void chunk
          next()
        },
        ORDER,
      ],
      [
        'behind a middleware that has let the stream flow away',
        async (request, _, next) => {
          request.resume()
          await wait(50)
          next()
        },
        ORDER,
      ],
      [
        'behind `req.setEncoding()`, which turns the bytes into text',
        (request, _, next) => {
          request.setEncoding('utf8')
          next()
        },
        ORDER,
      ],
    ]
    it.each(cases)('%s: 500 BODY_ALREADY_PARSED, and how to fix it in `onError` only', async (_, front, sent) => {
      const { url, handled, errors, hints } = await behind(front)
      const begin = performance.now()
      const answer = await send({ url }, sent)
      expect(performance.now() - begin).toBeLessThan(1000)
      expect([answer.status, answer.body]).toEqual([500, PARSED])
      const [hint] = hints
      expect(hint).toContain("app.use('/webhooks', createExpressMiddleware(receiver))")
      expect(hint).toContain('express.json()')
      expect(hint).toContain("express.raw({ type: '*/*', limit: '5mb' })")
      expect([handled, errors]).toEqual([[], ['BODY_ALREADY_PARSED']])
    })

    it('but answers only SIGNATURE_MISSING to a sender without a signature', async () => {
      const { url } = await behind(express.json())
      const answer = await send({ url }, UNSIGNED)
      expect([answer.status, answer.body.error.code]).toEqual([401, 'SIGNATURE_MISSING'])
    })
  })
}
