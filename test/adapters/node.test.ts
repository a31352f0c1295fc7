import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { createNodeListener } from 'hooklayer/node'
import { describe, expect, it } from 'vitest'
import { testAdapter } from '../contracts/adapter/adapter.ts'
import { HANDLED, ORDER, PARSED } from '../contracts/adapter/deliveries.ts'
import { digestOf, send } from '../contracts/adapter/harness.ts'
import { NO_BACKGROUND } from '../contracts/adapter/host.ts'
import { listen, listeningOn } from '../contracts/adapter/listen.ts'
import { connect, requestOf } from '../contracts/adapter/raw-client.ts'
import { createScenarioReceiver } from '../contracts/adapter/receiver-under-test.ts'
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
