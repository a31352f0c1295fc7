import { request as sendRequest } from 'node:http'
import { createDashboard } from 'hooklayer/dashboard'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createRecorder } from 'hooklayer/recorder'
import { describe, expect, it, vi } from 'vitest'
import { recordingLogger, thrownBy } from '../deliveries.ts'
import { startDashboard } from './harness.ts'

const PATHS = ['', 'assets/x.js', 'api/setup', 'api/inbox', 'api/live', 'api/nothing', 'deliveries']

describe('createDashboard refuses, when it is made,', () => {
  const inbox = createMemoryInbox()
  const authorize = () => true

  it.each([
    ['no authorize', { inbox }, /`authorize` is needed, a function that says who may see the dashboard/],
    ['an authorize that is no function', { inbox, authorize: true }, /`authorize` is needed/],
    ['no source', { authorize }, /give one of `recorder`, `inbox`, `management`, `emulator`/],
    ['an unknown option', { inbox, authorize, redacted: false }, /no option `redacted`\. Did you mean `redact`/],
    ['a source of another kind', { inbox: {}, authorize }, /`inbox` has no method `list`/],
    ['a path that is a URL', { inbox, authorize, path: 'https://a.example/x' }, /`path` must be a path/],
    ['a path that is one of its own', { inbox, authorize, path: '/api/inbox' }, /`path` must be a path/],
    ['a path of another host', { inbox, authorize, path: '//evil.example' }, /`path` must be a path/],
    ['a short key', { inbox, authorize, key: 'short' }, /`key` must be text of 16 characters or more/],
    ['a redact that is text', { inbox, authorize, redact: 'no' }, /`redact` must be true or false/],
  ])('%s', (_, options, message) => {
    const thrown = thrownBy(() => createDashboard(options as never))
    expect(thrown).toBeInstanceOf(TypeError)
    expect((thrown as TypeError).message).toMatch(message)
  })
})

describe('authorize', () => {
  it.each(PATHS)('is asked for /%s, and what it does not let in is answered 403', async (path) => {
    const authorize = vi.fn(() => false)
    const { get } = await startDashboard({ inbox: createMemoryInbox(), authorize })
    authorize.mockClear()
    const { status, text } = await get(path)
    expect(status).toBe(403)
    expect(text).not.toContain('hooklayer-token')
    expect(authorize).toHaveBeenCalledOnce()
  })

  it('refuses somebody who opens an address by a page that says so, and a call by JSON', async () => {
    const { get } = await startDashboard({ inbox: createMemoryInbox(), authorize: () => false })
    for (const path of PATHS) {
      const { status, text, headers } = await get(path, { accept: 'text/html,application/xhtml+xml' })
      expect([path, status, headers.get('content-type')]).toEqual([path, 403, 'text/html; charset=utf-8'])
      expect(text).toContain('You may not see this dashboard. Sign in, or ask who runs it.')
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect((await get(path)).json).toEqual({ error: expect.stringContaining('You may not see') })
    }
  })

  it.each([undefined, null, 1, 'true', {}])('lets nobody in by %s, which is not true', async (given) => {
    const { get } = await startDashboard({ inbox: createMemoryInbox(), authorize: (() => given) as never })
    expect((await get('api/inbox')).status).toBe(403)
  })

  it('may redirect to a login, with a cookie', async () => {
    const authorize = async (request: Request) =>
      request.headers.get('cookie') === 'user=zoe' ||
      new Response(null, { status: 302, headers: { location: '/login', 'set-cookie': 'from=here' } })
    const { get } = await startDashboard({ inbox: createMemoryInbox(), authorize })
    const { status, headers } = await get('')
    expect([status, headers.get('location'), headers.get('set-cookie')]).toEqual([302, '/login', 'from=here'])
    expect((await get('', { cookie: 'user=zoe' })).status).toBe(200)
  })

  it('is answered 500 without details if it throws, and the log has them masked', async () => {
    const authorize = () => {
      throw new Error('No session for zoe@example.com')
    }
    const { get, logged } = await startDashboard({ inbox: createMemoryInbox(), authorize })
    const { status, text } = await get('api/inbox')
    expect(status).toBe(500)
    expect(text).toBe('{"error":"It could not be found out whether you may see this. The log of the server says why."}')
    expect(logged()).toContain('No session for …')
    expect(logged()).not.toContain('zoe')
  })

  it('that throws for whatever strangers send is logged once a minute', async () => {
    const authorize = (request: Request) => {
      throw new URIError(`No cookie: ${request.url}`)
    }
    const { get, logged } = await startDashboard({ inbox: createMemoryInbox(), authorize })
    for (let i = 0; i < 100; i++) expect((await get(`api/inbox?${i}`)).status).toBe(500)
    expect(JSON.parse(logged())).toHaveLength(1)
  })

  it.each(['TRACE', 'PATCH', 'OPTIONS', 'PROPFIND'])('is not asked about %s, and nothing is logged', async (method) => {
    const authorize = vi.fn(() => true)
    const { url, logged } = await startDashboard({ inbox: createMemoryInbox(), authorize })
    authorize.mockClear()
    const status = await new Promise((resolve, reject) => {
      const sent = sendRequest(`${url}api/inbox`, { method }, (response) => resolve(response.resume().statusCode))
      sent.on('error', reject).end()
    })
    expect(status).toBe(405)
    expect(authorize).not.toHaveBeenCalled()
    expect(logged()).toBe('[]')
  })

  it('may read the request without taking the body from the call', async () => {
    const authorize = async (request: Request) => {
      expect(request).toBeInstanceOf(Request)
      await request.text()
      return new Request(request).method !== 'PATCH'
    }
    const { post } = await startDashboard({ inbox: createMemoryInbox(), authorize })
    expect((await post('api/inbox/retry', { all: true })).status).toBe(202)
  })
})

describe('a call that changes something', () => {
  const start = () => startDashboard({ inbox: createMemoryInbox() })

  it('is let in from the page, with its token', async () => {
    const { post } = await start()
    expect((await post('api/inbox/retry', { all: true })).status).toBe(202)
  })

  it.each([
    ['without a token', { 'x-hooklayer-token': '' }, 403],
    ['with another token', { 'x-hooklayer-token': 'A'.repeat(43) }, 403],
    ['from a foreign origin', { origin: 'https://evil.example' }, 403],
    ['from an origin of another port', { origin: 'http://127.0.0.1:1' }, 403],
    ['from the origin null', { origin: 'null' }, 403],
    ['from another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['from a sibling of the site', { 'sec-fetch-site': 'same-site' }, 403],
    ['typed into the address bar', { 'sec-fetch-site': 'none' }, 403],
    [
      'from its own page behind a proxy that changes the host',
      { origin: 'https://shop.example', 'sec-fetch-site': 'same-origin' },
      202,
    ],
  ])('%s is answered %#', async (_, headers, status) => {
    const { post } = await start()
    expect((await post('api/inbox/retry', { all: true }, headers as unknown as Record<string, string>)).status).toBe(
      status,
    )
  })

  it('without an origin is refused', async () => {
    const { url, token } = await start()
    const headers = { 'x-hooklayer-token': token }
    const response = await fetch(`${url}api/inbox/retry`, { method: 'POST', headers, body: '{"all":true}' })
    expect(response.status).toBe(403)
  })

  it('with a method that the call does not have is answered 405', async () => {
    const { post, delete: remove } = await start()
    const { status, headers, json } = await post('api/inbox')
    expect([status, headers.get('allow'), json]).toEqual([405, 'GET', { error: 'This call is GET.' }])
    expect((await remove('api/inbox/retry')).status).toBe(405)
    expect((await post('')).status).toBe(405)
  })

  it('with a body that is no JSON, or over two megabytes, is refused', async () => {
    const { url, token, post } = await start()
    const headers = { 'x-hooklayer-token': token, origin: url.slice(0, -1) }
    const send = (body: string) => fetch(`${url}api/inbox/retry`, { method: 'POST', headers, body })
    expect((await send('{')).status).toBe(400)
    expect((await send(`{"ids":["${'x'.repeat(2 * 1024 * 1024)}"]}`)).status).toBe(413)
    expect((await post('api/inbox/retry', { al: true })).status).toBe(400)
  })

  it('has a token that other instances take only if they have the same key', async () => {
    const options = { inbox: createMemoryInbox(), key: 'a key of all instances' }
    const [one, other, third] = [await startDashboard(options), await startDashboard(options), await start()]
    expect(other.token).toBe(one.token)
    expect(third.token).not.toBe(one.token)
    expect(one.token).not.toContain('instances')
  })
})

describe('a call that reads', () => {
  it.each([
    ['live messages', { accept: 'text/event-stream' }],
    ['a WebSocket', { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }],
  ])('opens no stream to the page of another site: %s', async (_, headers) => {
    const { url } = await startDashboard({ inbox: createMemoryInbox() })
    const status = await new Promise((resolve, reject) => {
      const options = { headers: { ...headers, origin: 'https://evil.example', cookie: 'user=zoe' } }
      const sent = sendRequest(`${url}api/live`, options, (response) => resolve(response.resume().statusCode))
      sent
        .on('error', reject)
        .on('upgrade', () => reject(new Error('It was upgraded.')))
        .end()
    })
    expect(status).toBe(403)
  })

  it.each(['__proto__', 'constructor', 'toString'])('has no filter of the name %s', async (name) => {
    const { get } = await startDashboard({ inbox: createMemoryInbox(), recorder: createRecorder() })
    for (const path of ['api/inbox/deliveries', 'api/deliveries', 'api/health'])
      expect((await get(`${path}?${name}=x`)).status).toBe(400)
  })

  it('from the page of another site is refused', async () => {
    const { get } = await startDashboard({ inbox: createMemoryInbox() })
    expect((await get('api/inbox', { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await get('api/inbox', { origin: 'https://evil.example' })).status).toBe(403)
    expect((await get('', { 'sec-fetch-site': 'cross-site' })).status).toBe(200) // A link to the page.
  })
})

describe('each answer', () => {
  it.each(PATHS)('of /%s has a strict policy, and is allowed to no other origin', async (path) => {
    const { url } = await startDashboard({ inbox: createMemoryInbox() })
    const stop = new AbortController()
    const { headers } = await fetch(url + path, { signal: stop.signal })
    stop.abort()
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cache-control')).toBe('no-store')
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  it('of the page has no inline script and no style, and loads files of the dashboard only', async () => {
    const { get } = await startDashboard({ inbox: createMemoryInbox() })
    const { text } = await get('')
    expect(text).not.toMatch(/<script(?![^>]* src=)|<style|style=| on\w+=|https?:/)
    const links = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => String(link))
    expect(links).toEqual([
      'data:,',
      expect.stringMatching(/^\/assets\/\w+\.css$/),
      expect.stringMatching(/^\/assets\/\w+\.js$/),
    ])
    for (const link of links.slice(1)) {
      const { status, headers } = await get(link.slice(1))
      expect([status, headers.get('cache-control')]).toEqual([200, 'private, max-age=31536000, immutable'])
    }
  })

  it('has nothing of a host name that a stranger has sent', async () => {
    const { url, logged } = await startDashboard({ inbox: createMemoryInbox() })
    const { hostname, port } = new URL(url)
    const text = await new Promise<string>((resolve) => {
      const options = { hostname, port, path: '//evil.example/%22%3E%3Cscript%3E', headers: { host: 'evil.example' } }
      sendRequest(options, async (response) => {
        const chunks = await response.setEncoding('utf8').toArray()
        resolve(chunks.join(''))
      }).end()
    })
    expect(text).toContain('<meta name="hooklayer-base" content="/">')
    expect(text).not.toContain('evil')
    expect(logged()).toBe('[]')
  })
})

it('a logger that throws changes nothing', async () => {
  const { logger } = recordingLogger()
  const broken = {
    ...logger,
    error: () => {
      throw new Error('The log is full.')
    },
  }
  const { get } = await startDashboard({
    inbox: createMemoryInbox(),
    logger: broken,
    authorize: () => Promise.reject(new Error('down')),
  })
  expect((await get('')).status).toBe(500)
})
