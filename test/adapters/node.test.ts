import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { createNodeListener } from 'hooklayer/node'
import { createRequest, createResponse, type RequestOptions } from 'node-mocks-http'
import { describe, expect, it } from 'vitest'
import { testAdapter } from '../contracts/adapter/adapter.ts'
import { HANDLED, ORDER, PARSED } from '../contracts/adapter/deliveries.ts'
import { digestOf, send } from '../contracts/adapter/harness.ts'
import { NO_BACKGROUND } from '../contracts/adapter/host.ts'
import { listen, listeningOn } from '../contracts/adapter/listen.ts'
import { connect, requestOf } from '../contracts/adapter/raw-client.ts'
import { createScenarioReceiver } from '../contracts/adapter/receiver-under-test.ts'
import { SECRETS } from '../contracts/adapter/secrets.ts'
import { createMounts, createRecorder } from './mounts.ts'

testAdapter('node:http', () => listen(createNodeListener(createScenarioReceiver())), { limitations: NO_BACKGROUND })

describe('node:http, on hosts that read the body first:', () => {
  const mount = createMounts()
  /** A host that reads the request to its end, and leaves something on it. */
  const hostedBy = (leave: (request: IncomingMessage, bytes: Buffer) => void) =>
    mount((receiver) => {
      const listener = createNodeListener(receiver)
      return listen(async (request, response) => {
        const chunks: Buffer[] = []
        for await (const chunk of request) chunks.push(chunk)
        leave(request, Buffer.concat(chunks))
        await listener(request, response)
      })
    })

  it.each<[string, (request: IncomingMessage, bytes: Buffer) => void]>([
    [
      'Google Cloud Functions, which keep the bytes beside the parsed body',
      (request, rawBody) => Object.assign(request, { rawBody, body: JSON.parse(rawBody.toString()) }),
    ],
    ['a host that leaves bytes in `body`', (request, body) => Object.assign(request, { body })],
    ['a host that leaves text in `body`', (request, bytes) => Object.assign(request, { body: bytes.toString() })],
  ])('%s: the signed bytes are found', async (_, leave) => {
    const { url, handled, errors } = await hostedBy(leave)
    const answer = await send({ url }, ORDER)
    expect([answer.status, answer.text, errors]).toEqual([200, HANDLED, []])
    expect(handled.map(digestOf)).toEqual([digestOf(ORDER.body)])
  })

  it.each<[string, (request: IncomingMessage, bytes: Buffer) => void]>([
    ['Vercel, which parses JSON', (request, bytes) => Object.assign(request, { body: JSON.parse(bytes.toString()) })],
    [
      'Vercel, which parses JSON when it is asked for',
      (request, bytes) => Object.defineProperty(request, 'body', { get: () => JSON.parse(bytes.toString()) }),
    ],
    ['a host that leaves nothing', () => {}],
  ])('%s: 500 at once, and how to fix it in `onError` only', async (_, leave) => {
    const { url, handled, errors, hints } = await hostedBy(leave)
    const begin = performance.now()
    const answer = await send({ url }, ORDER)
    expect(performance.now() - begin).toBeLessThan(1000)
    expect([answer.status, answer.body]).toEqual([500, PARSED])
    expect([...hints]).toEqual([expect.stringMatching(/NODEJS_HELPERS=0.*`hooklayer\/fetch`/)])
    expect([handled, errors]).toEqual([[], ['BODY_ALREADY_PARSED']])
  })
})

it('node:http ends a keep-alive connection once its server was closed', async () => {
  const answering = createNodeListener(createRecorder().receiver)
  const server = createServer((request, response) => {
    server.close()
    void answering(request, response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const closed = once(server, 'close')
  const target = listeningOn(server)
  const client = await connect(target)
  await client.send(requestOf(target, ORDER))
  const { status, headers } = await client.answer()
  expect([status, headers.connection]).toEqual([200, 'close'])
  await closed
})

describe('node:http, after somebody has touched the stream of the request:', () => {
  const mount = createMounts()
  const touchedBy = (
    touch: (request: IncomingMessage) => unknown,
    options: Parameters<typeof mount>[1] = {},
    wait?: () => Promise<unknown>,
  ) =>
    mount((receiver) => {
      const listener = createNodeListener(receiver)
      return listen(async (request, response) => {
        touch(request)
        if (wait) await wait()
        await listener(request, response)
      })
    }, options)
  const listens = (request: IncomingMessage) => request.on('data', function traceBody() {})
  const turns = () => new Promise((resolve) => setTimeout(resolve, 50))

  it.each<[string, (request: IncomingMessage) => unknown, (() => Promise<unknown>)?]>([
    ['a request that was paused is not waited for', (request) => request.pause()],
    ['a request that was paused long ago is not waited for', (request) => request.pause(), turns],
    [
      'a request that has a listener and was paused loses nothing',
      (request) => {
        listens(request)
        request.pause()
      },
      turns,
    ],
  ])('%s', async (_, touch, wait) => {
    const { url, handled } = await touchedBy(touch, {}, wait)
    const begin = performance.now()
    const answer = await send({ url }, ORDER)
    expect([answer.status, answer.text]).toEqual([200, HANDLED])
    expect(performance.now() - begin).toBeLessThan(1000)
    expect(handled.map(digestOf)).toEqual([digestOf(ORDER.body)])
  })

  it('a listener for `data` takes nothing while the receiver looks up its secrets', async () => {
    const secrets = async () => {
      await turns()
      return SECRETS['orders.place']
    }
    const { url, handled } = await touchedBy(listens, { secrets })
    expect((await send({ url }, ORDER)).text).toBe(HANDLED)
    expect(handled.map(digestOf)).toEqual([digestOf(ORDER.body)])
  })

  it.each<[string, (request: IncomingMessage) => unknown, string]>([
    ['by its name', listens, '`traceBody`'],
    ['also if it has none', (request) => request.on('data', (() => () => {})()), '`an anonymous function`'],
  ])('a listener for `data` that has taken the body is named, %s, and no parser is blamed', async (_, touch, name) => {
    const { url, handled, errors, hints } = await touchedBy(touch, {}, turns)
    const answer = await send({ url }, ORDER)
    expect([answer.status, answer.body]).toEqual([500, PARSED])
    expect([...hints]).toEqual([expect.stringContaining(`a listener for \`data\` of the request (${name})`)])
    expect([...hints]).not.toEqual([expect.stringContaining('parse')])
    expect([handled, errors]).toEqual([[], ['BODY_ALREADY_PARSED']])
  })

  it('a parser is blamed, and not a listener that was there too', async () => {
    const parse = async (request: IncomingMessage) => {
      listens(request)
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      Object.assign(request, { body: JSON.parse(Buffer.concat(chunks).toString()) })
    }
    const { url, hints } = await touchedBy(parse, {}, turns)
    expect((await send({ url }, ORDER)).status).toBe(500)
    expect([...hints]).toEqual([expect.stringContaining('Pass the request on before anything reads it')])
  })
})

describe('a request that is no stream, as in the tests of shops,', () => {
  const method = 'POST' as const
  const { headers } = ORDER
  const answered = async (options: RequestOptions, recorder = createRecorder(), sent?: Buffer) => {
    const request = createRequest(options)
    const response = createResponse({ eventEmitter: EventEmitter })
    const answering = createNodeListener(recorder.receiver)(request, response)
    if (sent) request.send(sent)
    await answering
    return { ...recorder, status: response.statusCode, text: response._getData(), ended: response._isEndCalled() }
  }

  it.each<[string, RequestOptions, Buffer?]>([
    ['text in its body', { method, headers, body: Buffer.from(ORDER.body).toString() as never }],
    ['bytes in `rawBody`', { method, headers, body: { parsed: true }, rawBody: ORDER.body } as RequestOptions],
    ['bytes that it emits', { method, headers, eventEmitter: EventEmitter } as RequestOptions, Buffer.from(ORDER.body)],
  ])('is answered, with %s', async (_, options, sent) => {
    const { status, text, ended, handled } = await answered(options, createRecorder(), sent)
    expect([status, text, ended]).toEqual([200, HANDLED, true])
    expect(handled.map(digestOf)).toEqual([digestOf(ORDER.body)])
  })

  it('is answered at once when it is refused', async () => {
    expect(await answered({ method: 'GET' })).toMatchObject({ status: 405, ended: true })
    expect(await answered({ method })).toMatchObject({ status: 401, ended: true })
  })

  it('is not waited for if its body was parsed', async () => {
    const begin = performance.now()
    const { status, ended, errors } = await answered({ method, headers, body: { data: {} } })
    expect([status, ended, errors]).toEqual([500, true, ['BODY_ALREADY_PARSED']])
    expect(performance.now() - begin).toBeLessThan(1000)
  })
})
