import Fastify, { type FastifyInstance } from 'fastify'
import type { Receiver } from 'hooklayer'
import { createFastifyPlugin } from 'hooklayer/fastify'
import { describe, expect, it } from 'vitest'
import { testAdapter } from '../contracts/adapter/adapter.ts'
import { HANDLED, ORDER, PARSED } from '../contracts/adapter/deliveries.ts'
import { digestOf, send } from '../contracts/adapter/harness.ts'
import { type Listening, NO_BACKGROUND } from '../contracts/adapter/host.ts'
import { createScenarioReceiver } from '../contracts/adapter/receiver-under-test.ts'
import { createMounts } from './mounts.ts'

const PATH = '/webhooks'

async function start(
  receiver: Pick<Receiver, 'receive'>,
  setUp: (app: FastifyInstance) => void = () => {},
): Promise<Listening> {
  const app = Fastify({ forceCloseConnections: true })
  setUp(app)
  app.register(createFastifyPlugin(receiver), { prefix: PATH })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  return { url: `${origin}${PATH}`, close: () => app.close() }
}

testAdapter('Fastify', () => start(createScenarioReceiver()), {
  limitations: {
    ...NO_BACKGROUND,
    'any content type': 'Fastify itself answers 415 to one that is malformed',
  },
})

describe('Fastify, in particular:', () => {
  const mount = createMounts()

  it('leaves the JSON parser of every other route alone', async () => {
    const { url, handled } = await mount((receiver) =>
      start(receiver, (app) => app.post('/others', async ({ body }) => ({ parsed: body }))),
    )
    expect((await send({ url }, ORDER)).text).toBe(HANDLED)
    expect(handled.map(digestOf)).toEqual([digestOf(ORDER.body)])
    const other = { headers: { 'content-type': 'application/json' }, body: Buffer.from('{"a":1}') }
    expect((await send({ url: url.replace(PATH, '/others') }, other)).body).toEqual({ parsed: { a: 1 } })
    const broken = { ...other, body: Buffer.from('{') }
    expect((await send({ url: url.replace(PATH, '/others') }, broken)).status).toBe(400)
  })

  it('works beside a parser that the app has added for every type', async () => {
    const { url, handled } = await mount((receiver) =>
      start(receiver, (app) => {
        app.addContentTypeParser('*', { parseAs: 'string' }, (_request, text, done) => done(null, { text }))
        app.post('/others', async ({ body }) => body)
      }),
    )
    expect((await send({ url }, ORDER)).text).toBe(HANDLED)
    expect(handled).toHaveLength(1)
    const other = { headers: { 'content-type': 'text/csv' }, body: Buffer.from('a;b') }
    expect((await send({ url: url.replace(PATH, '/others') }, other)).body).toEqual({ text: 'a;b' })
  })

  it('behind a preParsing hook that has read the payload, answers 500 at once and says how to fix it in `onError` only', async () => {
    const { url, handled, errors, hints } = await mount((receiver) =>
      start(receiver, (app) =>
        app.addHook('preParsing', async (_request, _reply, payload) => {
          for await (const chunk of payload) void chunk
          return payload
        }),
      ),
    )
    const begin = performance.now()
    const answer = await send({ url }, ORDER)
    expect(performance.now() - begin).toBeLessThan(1000)
    expect([answer.status, answer.body]).toEqual([500, PARSED])
    const [hint] = hints
    expect(hint).toContain('app.register(createFastifyPlugin(receiver), { prefix: "/webhooks" })')
    expect(hint).toContain('preParsing')
    expect([handled, errors]).toEqual([[], ['BODY_ALREADY_PARSED']])
  })
})
