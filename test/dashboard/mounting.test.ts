import { once } from 'node:events'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import { serve } from '@hono/node-server'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { createDashboard, type Dashboard } from 'hooklayer/dashboard'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import Koa from 'koa'
import bodyParser from 'koa-bodyparser'
import mount from 'koa-mount'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listeningOn } from '../contracts/adapter/listen.ts'
import { readToken } from './harness.ts'

const PATH = '/tools/hooklayer'

/** How a dashboard is mounted below a path, and what `path` it needs for that. */
const HOSTS: Readonly<Record<string, { path?: string; start(dashboard: Dashboard): Promise<Server> }>> = {
  Express: {
    start: async ({ listener }) => listen(createServer(express().use(PATH, listener))),
  },
  'Express behind a body parser': {
    start: async ({ listener }) => listen(createServer(express().use(express.json()).use(PATH, listener))),
  },
  'an Express router': {
    start: async ({ listener }) => {
      const router = express.Router().use('/hooklayer', listener)
      return listen(createServer(express().use('/tools', router)))
    },
  },
  Koa: {
    path: PATH,
    async start({ listener }) {
      const app = new Koa()
      app.use(
        mount(PATH, (context) => {
          context.respond = false
          return listener(context.req, context.res)
        }),
      )
      return listen(createServer(app.callback()))
    },
  },
  'Koa behind a body parser': {
    path: PATH,
    async start({ listener }) {
      const app = new Koa()
      app.use(bodyParser())
      app.use(
        mount(PATH, (context) => {
          context.respond = false
          return listener(Object.assign(context.req, { body: context.request.body }), context.res)
        }),
      )
      return listen(createServer(app.callback()))
    },
  },
  Fastify: {
    path: PATH,
    async start({ listener }) {
      const app = Fastify()
      await app.register(
        async (plugin) => {
          plugin.removeAllContentTypeParsers()
          plugin.addContentTypeParser('*', (_request, _payload, done) => done(null))
          for (const url of ['/', '/*']) {
            plugin.all(url, (request, reply) => {
              reply.hijack()
              return listener(request.raw, reply.raw)
            })
          }
        },
        { prefix: PATH },
      )
      await app.listen({ port: 0, host: '127.0.0.1' })
      return app.server
    },
  },
  'Hono, mounted': {
    path: PATH,
    async start({ fetch }) {
      const app = new Hono()
      app.mount(PATH, fetch)
      return serveHono(app)
    },
  },
  'Hono, with a route': {
    path: PATH,
    async start({ fetch }) {
      const app = new Hono()
      app.all(`${PATH}/*`, (c) => fetch(c.req.raw))
      return serveHono(app)
    },
  },
  'a route handler of Next': {
    path: `${PATH}/`,
    async start({ fetch }) {
      const routes = { GET: fetch, POST: fetch, DELETE: fetch }
      const app = new Hono()
      // Next gives a true `Request` with the whole URL, and the parameters of the route.
      app.on(['GET', 'POST', 'DELETE'], [PATH, `${PATH}/*`], async ({ req }) => {
        const { method, url, headers } = req.raw
        const body = method === 'POST' ? await req.arrayBuffer() : undefined
        const handler = routes[method as 'GET'] as (request: Request, context: unknown) => Promise<Response>
        return handler(new Request(url, { method, headers, ...(body && { body }) }), {
          params: Promise.resolve({ path: [] }),
        })
      })
      return serveHono(app)
    },
  },
  'node:http alone': {
    path: PATH,
    start: async ({ listener }) => listen(createServer(listener)),
  },
}

async function listen(server: Server): Promise<Server> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function serveHono(app: Hono): Promise<Server> {
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server
  await once(server, 'listening')
  return server
}

async function start(name: string): Promise<{ readonly url: string; readonly dashboard: Dashboard }> {
  const host = HOSTS[name]
  const inbox = createMemoryInbox()
  const path = host?.path
  const dashboard = createDashboard({ inbox, authorize: () => true, ...(path && { path }) })
  const server = await host?.start(dashboard)
  const { url, close } = listeningOn(server as Server, PATH)
  onTestFinished(async () => {
    dashboard.close()
    await close()
  })
  return { url, dashboard }
}

describe.each(Object.keys(HOSTS))('mounted in %s below a path', (name) => {
  it('the page, its files, calls and changes are found', async () => {
    const { url } = await start(name)
    const { origin } = new URL(url)
    for (const address of [url, `${url}/`, `${url}/inbox`]) {
      const response = await fetch(address)
      const page = await response.text()
      expect([address, response.status]).toEqual([address, 200])
      expect(page).toContain(`<meta name="hooklayer-base" content="${PATH}/">`)
      const [, script] = /src="([^"]+)"/.exec(page) ?? []
      const file = await fetch(origin + script)
      expect([file.status, file.headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8'])
    }
    expect((await fetch(`${url}/api/inbox?x=1`)).status).toBe(200)
    const token = readToken(await (await fetch(`${url}/`)).text())
    const headers = { origin, 'x-hooklayer-token': token, 'content-type': 'application/json' }
    const init = { method: 'POST', headers, body: JSON.stringify({ ids: ['an-id'] }) }
    const response = await fetch(`${url}/api/inbox/retry`, init)
    expect([response.status, await response.json()]).toMatchObject([202, { kind: 'retry', total: 1 }])
  })

  it('live messages are sent at once, and end with the dashboard', async () => {
    const { url, dashboard } = await start(name)
    const response = await fetch(`${url}/api/live`)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader?.read())?.value).toContain(': open')
    dashboard.close()
    expect(await reader?.read()).toMatchObject({ done: true })
  })
})

it('authorize gets what a session middleware of Express has added', async () => {
  const authorize = (_request: Request, incoming: unknown) => Object(incoming).session?.isAdmin === true
  const dashboard = createDashboard({ inbox: createMemoryInbox(), authorize })
  const app = express()
  app.use((request, _response, next) => {
    Object.assign(request, { session: { isAdmin: request.headers.cookie === 'admin' } })
    next()
  })
  app.use(PATH, dashboard.listener)
  const { url, close } = listeningOn(await listen(createServer(app)), PATH)
  onTestFinished(close)
  expect((await fetch(url)).status).toBe(403)
  expect((await fetch(url, { headers: { cookie: 'admin' } })).status).toBe(200)
})
