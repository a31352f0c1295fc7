import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { WebhookRecord } from '../../../src/emulator/records.ts'
import {
  answer,
  bodyOf,
  closeAfterEach,
  createEndpoint,
  createScene,
  eventOf,
  numbered,
  webhookFor,
} from './harness.ts'

closeAfterEach()

const HOUR_MS = 3_600_000
const circuitOf = ({ circuit_state, circuit_failure_count }: WebhookRecord) => [circuit_state, circuit_failure_count]

describe('a delivery that fails', () => {
  it('is fired again ten times with the same bytes, each time an event callback of its own', async () => {
    const attempts: number[] = []
    const retryDelayMs = (attempt: number) => {
      attempts.push(attempt)
      return 0
    }
    const { url, arrivals } = await createEndpoint(answer(500))
    const webhook = webhookFor(url)
    const { sender, answers } = createScene([webhook], { retryDelayMs })
    await sender.send(eventOf({ name: '€57,00' }))
    await sender.settled()
    expect(attempts).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(answers()).toEqual(Array(11).fill(['500', 'Internal Server Error']))
    expect(new Set(arrivals.map((arrival) => `${arrival.signature} ${bodyOf(arrival)}`)).size).toBe(1)
    expect(circuitOf(webhook)).toEqual(['closed', 11])
  })

  it('is fired again no more than `retries` times', async () => {
    const { url, arrivals } = await createEndpoint(answer(500))
    const { sender } = createScene([webhookFor(url)], { retries: 2 })
    await sender.send(eventOf())
    await sender.settled()
    expect(arrivals).toHaveLength(3)
  })

  it('is handed back after its first call, and settled with its last', async () => {
    const { url, arrivals } = await createEndpoint((response, _, nth) => response.writeHead(nth < 4 ? 503 : 200).end())
    const webhook = webhookFor(url)
    const { sender } = createScene([webhook], { retryDelayMs: () => 5 })
    const callbacks = await sender.send(eventOf())
    expect([callbacks.map(({ response_code }) => response_code), arrivals.length]).toEqual([['503'], 1])
    await sender.settled()
    expect([circuitOf(webhook), arrivals.length]).toEqual([['closed', 0], 4])
  })

  it.each([
    ['is disabled', (webhook: WebhookRecord) => Object.assign(webhook, { disabled_at: '2026-08-01T09:30:00.000Z' })],
    ['is opened', (webhook: WebhookRecord) => Object.assign(webhook, { circuit_state: 'open' })],
    ['is deleted', (webhook: WebhookRecord, webhooks: Map<string, WebhookRecord>) => webhooks.delete(webhook.id)],
  ])('is given up when its webhook %s in the meantime', async (_, change) => {
    const { url, arrivals } = await createEndpoint(answer(500))
    const webhook = webhookFor(url)
    const { sender, records } = createScene([webhook], { retryDelayMs: () => 20 })
    await sender.send(eventOf())
    change(webhook, records.webhooks)
    await sender.settled()
    expect(arrivals).toHaveLength(1)
  })

  it('goes to the address that its webhook has by then, with the payload of the first call', async () => {
    const first = await createEndpoint(answer(500))
    const second = await createEndpoint()
    const webhook = webhookFor(first.url)
    const { sender, callbacks } = createScene([webhook], { retryDelayMs: () => 10 })
    await sender.send(eventOf())
    Object.assign(webhook, { callback_url: second.url, include_resources: ['customer'] })
    await sender.settled()
    expect(callbacks().map(({ callback_url }) => callback_url)).toEqual([first.url, second.url])
    expect(second.arrivals.map(bodyOf)).toEqual(first.arrivals.map(bodyOf))
  })
})

describe('an answer', () => {
  it.each([
    [200, 0],
    [204, 0],
    [299, 0],
    [302, 1],
    [400, 1],
    [500, 1],
  ])('of %i leaves a failure count of %i', async (status, failures) => {
    const { url, arrivals } = await createEndpoint((response) =>
      response.writeHead(status, 'Reason', { location: url }).end(),
    )
    const webhook = webhookFor(url, { circuit_failure_count: 0 })
    const { sender, answers } = createScene([webhook], { retries: 0 })
    await sender.send(eventOf())
    expect([answers(), arrivals.length]).toEqual([[[String(status), 'Reason']], 1])
    expect(webhook.circuit_failure_count).toBe(failures)
  })

  it.each<[string, (response: ServerResponse) => void]>([
    ['never ends', (response) => void response.writeHead(200).write('{')],
    ['is cut off', (response) => response.writeHead(200).write('{', () => response.destroy())],
  ])('counts by its status, even if its body %s', async (_, reply) => {
    const { url } = await createEndpoint(reply)
    const { sender, answers } = createScene([webhookFor(url)], { timeoutMs: 50 })
    await sender.send(eventOf())
    expect(answers()).toEqual([['200', 'OK']])
  })

  it.each<[string, string, (socket: Socket) => void]>([
    ['that was reset', 'Connection closed without an answer', (socket) => socket.destroy()],
    ['that is not HTTP', 'The answer was not HTTP', (socket) => socket.end('220 smtp\r\n')],
  ])('%s is none: the code stays null, and the message says why', async (_, message, onData) => {
    const server = createServer((socket) => socket.on('error', () => {}).once('data', () => onData(socket)))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const webhook = webhookFor(`http://127.0.0.1:${port}/`)
    const { sender, answers } = createScene([webhook], { retries: 0 })
    await sender.send(eventOf())
    server.close()
    expect([answers(), circuitOf(webhook)]).toEqual([[[null, message]], ['closed', 1]])
  })

  it('within `timeoutMs` or none: the call is ended, and counts as a failure', async () => {
    const { url, arrivals } = await createEndpoint((response, _, nth) => {
      if (nth > 1) response.end()
    })
    const webhook = webhookFor(url)
    const { sender, answers } = createScene([webhook], { timeoutMs: 100, retryDelayMs: () => 20 })
    const begin = performance.now()
    const callbacks = await sender.send(eventOf())
    const took = performance.now() - begin
    expect(took).toBeGreaterThan(90)
    expect(took).toBeLessThan(1000)
    expect([callbacks[0]?.response_code, webhook.circuit_failure_count]).toEqual([null, 1])
    await sender.settled()
    expect(arrivals).toHaveLength(2)
    expect(answers()).toEqual([
      [null, 'No answer within 100 ms'],
      ['200', 'OK'],
    ])
  })

  it.each([
    ['http://127.0.0.1:1/', 'Connection refused'],
    ['ftp://127.0.0.1/', 'The callback URL cannot be called'],
    ['no address', 'The callback URL cannot be called'],
    ['https://127.0.0.1:1/', 'Connection refused'],
  ])('of %s is a failure: %s', async (url, message) => {
    const webhook = webhookFor(url)
    const { sender, answers } = createScene([webhook], { retries: 0 })
    await sender.send(eventOf())
    expect([answers(), circuitOf(webhook)]).toEqual([[[null, message]], ['closed', 1]])
  })
})

describe('a call over TLS', () => {
  it('is one: a plain server does not understand it', async () => {
    const { url } = await createEndpoint()
    const { sender, answers } = createScene([webhookFor(url.replace('http:', 'HTTPS:'))], { retries: 0 })
    await sender.send(eventOf())
    expect(answers()).toEqual([[null, expect.stringMatching(/^Connection failed \([A-Z_]+\)$/)]])
  })
})

describe('the circuit', () => {
  it('opens with the thirtieth failure in a row, retries included, and nothing more is sent', async () => {
    const { url, arrivals } = await createEndpoint(answer(500))
    const webhook = webhookFor(url)
    const { sender } = createScene([webhook])
    const counts: unknown[] = []
    for (const event of numbered(4)) {
      await sender.send(event)
      await sender.settled()
      counts.push([...circuitOf(webhook), arrivals.length])
    }
    expect(counts).toEqual([
      ['closed', 11, 11],
      ['closed', 22, 22],
      ['open', 30, 30],
      ['open', 30, 30],
    ])
  })

  it('counts anew after the first success', async () => {
    const { url } = await createEndpoint((response, _, nth) => response.writeHead(nth === 30 ? 200 : 500).end())
    const webhook = webhookFor(url)
    const { sender } = createScene([webhook], { retries: 0 })
    const counts: unknown[] = []
    for (const event of numbered(60)) {
      await sender.send(event)
      counts.push(webhook.circuit_failure_count)
    }
    expect([counts[28], counts[29], counts[30], counts[58], counts[59]]).toEqual([29, 0, 1, 29, 30])
    expect(webhook.circuit_state).toBe('open')
  })

  it('drops the retries that wait when it opens, and those of calls that were under way', async () => {
    const held: (() => void)[] = []
    const { url, arrivals } = await createEndpoint((response, _, nth) => {
      if (nth === 2) held.push(() => response.writeHead(500).end())
      else response.writeHead(500).end()
    })
    const webhook = webhookFor(url, { circuit_failure_count: 28 })
    const other = webhookFor(url, { id: 'otherother', topic: 'orders.pay' })
    const { sender } = createScene([webhook, other], { retryDelayMs: () => HOUR_MS })
    const [first, second, third] = numbered(3)
    await sender.send(first ?? eventOf())
    const sending = sender.send(second ?? eventOf())
    await expect.poll(() => held.length, { timeout: 10_000 }).toBe(1)
    await sender.send(third ?? eventOf())
    expect(circuitOf(webhook)).toEqual(['open', 30])
    for (const end of held) end()
    await sending
    await sender.settled()
    expect([circuitOf(webhook), arrivals.length]).toEqual([['open', 30], 3])
  })

  it('that is open stays open when a call that was under way succeeds', async () => {
    const { url } = await createEndpoint((response) => {
      webhook.circuit_state = 'open'
      response.end()
    })
    const webhook = webhookFor(url, { circuit_failure_count: 30 })
    const { sender } = createScene([webhook])
    await sender.send(eventOf())
    expect(circuitOf(webhook)).toEqual(['open', 30])
  })

  it('lets calls through again once it was reset', async () => {
    const { url, arrivals } = await createEndpoint()
    const webhook = webhookFor(url, { circuit_state: 'open', circuit_failure_count: 30 })
    const { sender } = createScene([webhook])
    await sender.send(eventOf())
    Object.assign(webhook, { circuit_state: 'closed', circuit_failure_count: 0 })
    await sender.send(eventOf())
    expect(arrivals).toHaveLength(1)
  })

  it('that opens is not asked by calls which wait for their turn', async () => {
    const { url, arrivals } = await createEndpoint(answer(500))
    const webhook = webhookFor(url)
    const { sender, records } = createScene([webhook], { retryDelayMs: () => HOUR_MS })
    const calls = await Promise.all(numbered(400).map((event) => sender.send(event)))
    await sender.settled()
    expect(circuitOf(webhook)).toEqual(['open', 30])
    expect(arrivals.length).toBeGreaterThanOrEqual(30)
    expect(arrivals.length).toBeLessThan(400)
    expect([calls.flat().length, records.eventCallbacks.size]).toEqual([arrivals.length, arrivals.length])
  })
})
