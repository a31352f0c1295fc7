import { createKoaMiddleware } from 'hooklayer/koa'
import Koa from 'koa'
import { koaBody } from 'koa-body'
import bodyParser from 'koa-bodyparser'
import mount from 'koa-mount'
import { describe, expect, it } from 'vitest'
import { testAdapter } from '../contracts/adapter/adapter.ts'
import { HANDLED, ORDER, PARSED } from '../contracts/adapter/deliveries.ts'
import { digestOf, send } from '../contracts/adapter/harness.ts'
import { type Listening, NO_BACKGROUND } from '../contracts/adapter/host.ts'
import { listen } from '../contracts/adapter/listen.ts'
import { connect, headOf } from '../contracts/adapter/raw-client.ts'
import { createScenarioReceiver } from '../contracts/adapter/receiver-under-test.ts'
import { waitFor } from '../wait-for.ts'
import { createMounts } from './mounts.ts'

const PATH = '/webhooks'

testAdapter('Koa', () => start((app) => app.use(mount(PATH, createKoaMiddleware(createScenarioReceiver())))), {
  limitations: NO_BACKGROUND,
})

function start(setUp: (app: Koa) => unknown): Promise<Listening> {
  const app = new Koa()
  setUp(app)
  return listen(app.callback(), PATH)
}

describe('Koa, in particular:', () => {
  const mountReceiver = createMounts()

  it('has no error for a connection that a stranger breaks, and has those of other middleware', async () => {
    const failures: unknown[] = []
    const target = await mountReceiver((receiver) =>
      start((app) =>
        app
          .on('error', (error) => failures.push(error.message))
          .use(async (context, next) => {
            await next()
            if (context.query.fail) throw new Error('thrown above')
          })
          .use(mount(PATH, createKoaMiddleware(receiver))),
      ),
    )
    const breaks = ['reset', 'end'] as const
    for (const how of breaks) {
      const stranger = await connect(target)
      await stranger.send(`${headOf(target, { ...ORDER.headers, 'content-length': '100' })}{`)
      stranger[how]()
    }
    await waitFor(() => expect(target.errors).toEqual(['BODY_ABORTED', 'BODY_ABORTED']))
    await send({ url: `${target.url}?fail=1` }, ORDER)
    await waitFor(() => expect(failures).toEqual(['thrown above']))
  })

  const behind = (...front: readonly Koa.Middleware[]) =>
    mountReceiver((receiver) =>
      start((app) => {
        for (const one of front) app.use(one)
        app.use(mount(PATH, createKoaMiddleware(receiver)))
      }),
    )

  it('with a body parser mounted first, answers 500 at once and says how to fix it in `onError` only', async () => {
    const { url, handled, errors, hints } = await behind(bodyParser(), (context, next) => {
      // This parser keeps the text; other parsers keep nothing.
      Object.assign(context.request, { rawBody: undefined })
      return next()
    })
    const begin = performance.now()
    const answer = await send({ url }, ORDER)
    expect(performance.now() - begin).toBeLessThan(1000)
    expect([answer.status, answer.body]).toEqual([500, PARSED])
    expect([...hints]).toEqual([expect.stringContaining('mount("/webhooks", createKoaMiddleware(receiver))')])
    expect([handled, errors]).toEqual([[], ['BODY_ALREADY_PARSED']])
  })

  it('with a body parser that keeps the text in `ctx.request.rawBody`, uses that', async () => {
    const { url, handled } = await behind(bodyParser())
    const answer = await send({ url }, ORDER)
    expect([answer.status, answer.text]).toEqual([200, HANDLED])
    expect(handled.map(digestOf)).toEqual([digestOf(ORDER.body)])
  })

  it('with a koa-body that keeps the text under its symbol, as in Strapi 5, uses that', async () => {
    const { url, handled } = await behind(koaBody({ includeUnparsed: true }) as never)
    const answer = await send({ url }, ORDER)
    expect([answer.status, answer.text]).toEqual([200, HANDLED])
    expect(handled.map(digestOf)).toEqual([digestOf(ORDER.body)])
  })

  it('with a koa-body that keeps nothing, does not take its result for the body', async () => {
    const { url, handled, hints } = await behind(koaBody() as never)
    expect((await send({ url }, ORDER)).body).toEqual(PARSED)
    expect([...hints]).toEqual([expect.stringContaining('`includeUnparsed: true` of koa-body')])
    expect(handled).toEqual([])
  })

  it('calls no middleware that is mounted below, and leaves other paths to them', async () => {
    const { url } = await mountReceiver((receiver) =>
      start((app) =>
        app
          .use(mount(PATH, createKoaMiddleware(receiver)))
          .use(bodyParser())
          .use((context) => {
            context.body = { parsed: context.request.body }
          }),
      ),
    )
    expect((await send({ url }, ORDER)).text).toBe(HANDLED)
    const other = await send(
      { url: url.replace(PATH, '/others') },
      { headers: { 'content-type': 'application/json' }, body: Buffer.from('{"a":1}') },
    )
    expect(other.body).toEqual({ parsed: { a: 1 } })
  })
})
