import { createServer } from 'node:http2'
import { getRequestListener } from '@hono/node-server'
import Fastify from 'fastify'
import { createFastifyPlugin } from 'hooklayer/fastify'
import { createFetchHandler } from 'hooklayer/fetch'
import { createKoaMiddleware } from 'hooklayer/koa'
import Koa from 'koa'
import { testStreams } from '../contracts/adapter/http2.ts'
import { listenHttp2 } from '../contracts/adapter/listen-http2.ts'
import { createScenarioReceiver } from '../contracts/adapter/receiver-under-test.ts'

const receiver = createScenarioReceiver()

testStreams('Koa over node:http2', () => {
  const app = new Koa().use(createKoaMiddleware(receiver))
  // Koa prints the errors of connections that senders close.
  app.silent = true
  return listenHttp2(createServer(app.callback()))
})

testStreams('Fastify over node:http2', async () => {
  const app = Fastify({ http2: true })
  app.register(createFastifyPlugin(receiver))
  await app.ready()
  return listenHttp2(app.server)
})

testStreams(
  'Fetch, by @hono/node-server over node:http2',
  () => listenHttp2(createServer(getRequestListener(createFetchHandler(receiver)))),
  {
    draining: 'Hono ends the stream as soon as it has answered, which HTTP/2 allows',
    'giving up': 'Hono waits for its client',
  },
)
