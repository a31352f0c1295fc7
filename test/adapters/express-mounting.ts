import type { ErrorRequestHandler, Express, RequestHandler } from 'express'
import { createExpressMiddleware } from 'hooklayer/express'
import { describe, expect, it } from 'vitest'
import { customerText, HANDLED, ORDER, orderText, sentAs } from '../contracts/adapter/deliveries.ts'
import { digestOf, send } from '../contracts/adapter/harness.ts'
import { type Apps, PATH } from './express-apps.ts'
import { createRecorder } from './mounts.ts'

/** The ways to mount the receiver in an app, and what Express itself answers then. */
export function testMounting({ express, serve }: Apps): void {
  describe('it is mounted', () => {
    it.each<[string, (app: Express, middleware: RequestHandler) => void]>([
      ['for every method with app.use(path)', (app, middleware) => app.use(PATH, middleware)],
      ['for one with app.post(path)', (app, middleware) => app.post(PATH, middleware)],
      ['for every path with app.use()', (app, middleware) => app.use(middleware)],
      ['in a router', (app, middleware) => app.use(PATH, express.Router().post('/', middleware))],
      ['before a parser for everything else', (app, middleware) => app.use(PATH, middleware).use(express.json())],
      ['with a parser of its own', (app, middleware) => app.post(PATH, express.raw({ type: '*/*' }), middleware)],
    ])('%s', async (_, setUp) => {
      const { url, handled } = await serve(setUp)
      const answer = await send({ url }, ORDER)
      expect([answer.status, answer.text]).toEqual([200, HANDLED])
      expect(handled.map(digestOf)).toEqual([digestOf(ORDER.body)])
    })

    it('on two paths, with a receiver each', async () => {
      const other = createRecorder()
      const { url, handled } = await serve((app, middleware) =>
        app.use(PATH, middleware).use('/others', createExpressMiddleware(other.receiver)),
      )
      const customer = sentAs('customers.create', customerText())
      expect((await send({ url }, ORDER)).text).toBe(HANDLED)
      expect((await send({ url: url.replace(PATH, '/others') }, customer)).text).toBe(HANDLED)
      expect([handled.length, other.handled.length]).toEqual([1, 1])
    })
  })

  describe('it leaves to Express', () => {
    const answerStatus: ErrorRequestHandler = (error, _, response, __) => {
      response.status(error.status).send('from Express')
    }
    it.each<[string, RequestHandler]>([
      ['express.raw()', express.raw({ type: '*/*' })],
      ['express.text()', express.text({ type: '*/*' })],
      ['express.json()', express.json()],
    ])('the order over 100 kB that %s refuses when it is given no `limit`', async (_, front) => {
      const { url, errors } = await serve((app, middleware) => app.use(front).use(PATH, middleware).use(answerStatus))
      const answer = await send({ url }, sentAs('orders.place', orderText({ padding: 110_000 })))
      expect([answer.status, answer.text, errors]).toEqual([413, 'from Express', []])
    })

    it('the methods that app.post() does not take', async () => {
      const { url, errors } = await serve((app, middleware) => app.post(PATH, middleware))
      expect((await send({ url }, ORDER, 'get')).status).toBe(404)
      expect(errors).toEqual([])
    })
  })

  it('passes the error of a handler to no error middleware', async () => {
    const shown: unknown[] = []
    const showError: ErrorRequestHandler = (error, _, response, __) => {
      shown.push(error)
      response.status(418).send()
    }
    const { receiver, url } = await serve((app, middleware) => app.use(PATH, middleware).use(showError))
    receiver.on('orders.place', () => {
      throw Object.assign(new Error('not for everybody'), { status: 404, expose: true })
    })
    const answer = await send({ url }, ORDER)
    expect([answer.status, answer.text]).toEqual([
      500,
      '{"error":{"code":"HANDLER_FAILED","message":"A handler failed."}}',
    ])
    expect(shown).toEqual([])
  })
}
