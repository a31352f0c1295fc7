import { once } from 'node:events'
import type { Server } from 'node:http'
import { serve } from '@hono/node-server'
import { createFetchHandler } from 'hooklayer/fetch'
import { describe, expect, it } from 'vitest'
import { testAdapter } from '../contracts/adapter/adapter.ts'
import { HANDLED, ORDER, orderText, PARSED, sentAs } from '../contracts/adapter/deliveries.ts'
import { digestOf } from '../contracts/adapter/harness.ts'
import { listeningOn } from '../contracts/adapter/listen.ts'
import { createScenarioReceiver } from '../contracts/adapter/receiver-under-test.ts'
import { createRecorder } from './mounts.ts'

testAdapter(
  'Fetch, by @hono/node-server',
  async () => {
    const fetch = createFetchHandler(createScenarioReceiver(), { background: () => {} })
    const server = serve({ fetch, port: 0, hostname: '127.0.0.1' }) as Server
    await once(server, 'listening')
    return listeningOn(server)
  },
  { limitations: { closing: 'Node closes the connection as soon as the answer has ended' } },
)

describe('Fetch, called with a `Request`,', () => {
  const requestOf = (
    body: Uint8Array | ReadableStream = new Uint8Array(ORDER.body),
    headers: Readonly<Record<string, string>> = {},
  ) =>
    new Request('https://shop.example/webhooks', {
      method: 'POST',
      headers: { ...ORDER.headers, ...headers },
      body,
      duplex: 'half',
    } as RequestInit)

  it('answers a `Response` with the bytes of the order handled', async () => {
    const { receiver, handled } = createRecorder()
    const response = await createFetchHandler(receiver)(requestOf())
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(await response.text()).toBe(HANDLED)
    expect(handled.map(digestOf)).toEqual([digestOf(ORDER.body)])
  })

  it.each<[string, (request: Request) => unknown]>([
    ['json()', (request) => request.json()],
    ['text()', (request) => request.text()],
    ['arrayBuffer()', (request) => request.arrayBuffer()],
    ['body.getReader()', (request) => request.body?.getReader()],
    ['body.getReader(), and it has a length', (request) => request.body?.getReader()],
    ['body.cancel()', (request) => request.body?.cancel()],
  ])(
    'answers 500 at once if it was read before, by %s, and says how to fix it in `onError` only',
    async (how, read) => {
      const { receiver, handled, errors, hints } = createRecorder()
      const length = how.endsWith('length') ? { 'content-length': String(ORDER.body.length) } : {}
      const request = requestOf(undefined, length)
      await read(request)
      const response = await createFetchHandler(receiver)(request)
      expect([response.status, await response.json()]).toEqual([500, PARSED])
      expect([...hints]).toEqual([expect.stringContaining('before request.json(), request.text() or the like')])
      expect([handled, errors]).toEqual([[], ['BODY_ALREADY_PARSED']])
    },
  )

  it('does not trust a `Content-Length` beside a `Transfer-Encoding`', async () => {
    const { receiver, errors } = createRecorder({ maxBodyBytes: 1000 })
    const { body } = sentAs('orders.place', orderText({ padding: 5000 }))
    const headers = new Headers({ ...ORDER.headers, 'content-length': '10', 'transfer-encoding': 'chunked' })
    const stream = new Blob([new Uint8Array(body)]).stream()
    // `new Request` drops such headers; the requests that servers make have them.
    const request = Object.defineProperty(requestOf(stream), 'headers', { value: headers })
    expect((await createFetchHandler(receiver)(request)).status).toBe(413)
    expect(errors).toEqual(['BODY_TOO_LARGE'])
  })

  it('answers a request without a body', async () => {
    const { receiver, errors } = createRecorder()
    const request = new Request('https://shop.example', { method: 'POST', headers: { ...ORDER.headers } })
    expect((await createFetchHandler(receiver)(request)).status).toBe(401)
    await receiver.close()
    expect(errors).toEqual(['SIGNATURE_MISMATCH'])
  })
})
