import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { WebhookRecord } from '../../../src/emulator/records.ts'
import {
  answer,
  closeAfterEach,
  createEndpoint,
  createEvent,
  createEvents,
  createSenderHarness,
  createWebhook,
  readBody,
} from './harness.ts'

closeAfterEach()

const HOUR_MS = 3_600_000
const readCircuit = ({ circuit_state, circuit_failure_count }: WebhookRecord) => [circuit_state, circuit_failure_count]

describe('a failed delivery', () => {
  it('is retried ten times with the same bytes, each time with its own event callback', async () => {
    const attempts: number[] = []
    const retryDelayMs = (attempt: number) => {
      attempts.push(attempt)
      return 0
    }
    const { url, arrivals } = await createEndpoint(answer(500))
    const webhook = createWebhook(url)
    const { sender, answers } = createSenderHarness([webhook], { retryDelayMs })
    await sender.send(createEvent({ name: '€57,00' }))
    await sender.settled()
    expect(attempts).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(answers()).toEqual(Array(11).fill(['500', 'Internal Server Error']))
    expect(new Set(arrivals.map((arrival) => `${arrival.signature} ${readBody(arrival)}`)).size).toBe(1)
    expect(readCircuit(webhook)).toEqual(['closed', 11])
  })

  it('is retried at most `retries` times', async () => {
    const { url, arrivals } = await createEndpoint(answer(500))
    const { sender } = createSenderHarness([createWebhook(url)], { retries: 2 })
    await sender.send(createEvent())
    await sender.settled()
    expect(arrivals).toHaveLength(3)
  })

  it('resolves after its first call, and settles with its last', async () => {
    const { url, arrivals } = await createEndpoint((response, _, nth) => response.writeHead(nth < 4 ? 503 : 200).end())
    const webhook = createWebhook(url)
    const { sender } = createSenderHarness([webhook], { retryDelayMs: () => 5 })
    const callbacks = await sender.send(createEvent())
    expect([callbacks.map(({ response_code }) => response_code), arrivals.length]).toEqual([['503'], 1])
    await sender.settled()
    expect([readCircuit(webhook), arrivals.length]).toEqual([['closed', 0], 4])
  })

  it.each([
    ['is disabled', (webhook: WebhookRecord) => Object.assign(webhook, { disabled_at: '2026-08-01T09:30:00.000Z' })],
    ['is opened', (webhook: WebhookRecord) => Object.assign(webhook, { circuit_state: 'open' })],
    ['is deleted', (webhook: WebhookRecord, webhooks: Map<string, WebhookRecord>) => webhooks.delete(webhook.id)],
  ])('is not retried when its webhook %s in the meantime', async (_, change) => {
    const { url, arrivals } = await createEndpoint(answer(500))
    const webhook = createWebhook(url)
    const { sender, records } = createSenderHarness([webhook], { retryDelayMs: () => 20 })
    await sender.send(createEvent())
    change(webhook, records.webhooks)
    await sender.settled()
    expect(arrivals).toHaveLength(1)
  })

  it('is retried at the current URL of its webhook, with the payload of the first call', async () => {
    const first = await createEndpoint(answer(500))
    const second = await createEndpoint()
    const webhook = createWebhook(first.url)
    const { sender, callbacks } = createSenderHarness([webhook], { retryDelayMs: () => 10 })
    await sender.send(createEvent())
    Object.assign(webhook, { callback_url: second.url, include_resources: ['customer'] })
    await sender.settled()
    expect(callbacks().map(({ callback_url }) => callback_url)).toEqual([first.url, second.url])
    expect(second.arrivals.map(readBody)).toEqual(first.arrivals.map(readBody))
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
  ])('of %i gives a failure count of %i', async (status, failures) => {
    const { url, arrivals } = await createEndpoint((response) =>
      response.writeHead(status, 'Reason', { location: url }).end(),
    )
    const webhook = createWebhook(url, { circuit_failure_count: 0 })
    const { sender, answers } = createSenderHarness([webhook], { retries: 0 })
    await sender.send(createEvent())
    expect([answers(), arrivals.length]).toEqual([[[String(status), 'Reason']], 1])
    expect(webhook.circuit_failure_count).toBe(failures)
  })

  it.each<[string, (response: ServerResponse) => void]>([
    ['never ends', (response) => void response.writeHead(200).write('{')],
    ['is cut off', (response) => response.writeHead(200).write('{', () => response.destroy())],
  ])('counts by its status, even if its body %s', async (_, reply) => {
    const { url } = await createEndpoint(reply)
    const { sender, answers } = createSenderHarness([createWebhook(url)], { timeoutMs: 50 })
    await sender.send(createEvent())
    expect(answers()).toEqual([['200', 'OK']])
  })

  it.each<[string, string, (socket: Socket) => void]>([
    ['that was reset', 'Connection closed without an answer', (socket) => socket.destroy()],
    ['that is not HTTP', 'The answer was not HTTP', (socket) => socket.end('220 smtp\r\n')],
  ])('%s has no response code, and a message that names the failure', async (_, message, onData) => {
    const server = createServer((socket) => socket.on('error', () => {}).once('data', () => onData(socket)))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const webhook = createWebhook(`http://127.0.0.1:${port}/`)
    const { sender, answers } = createSenderHarness([webhook], { retries: 0 })
    await sender.send(createEvent())
    server.close()
    expect([answers(), readCircuit(webhook)]).toEqual([[[null, message]], ['closed', 1]])
  })

  it('after `timeoutMs` is a failure, and the call is ended', async () => {
    const { url, arrivals } = await createEndpoint((response, _, nth) => {
      if (nth > 1) response.end()
    })
    const webhook = createWebhook(url)
    const { sender, answers } = createSenderHarness([webhook], { timeoutMs: 100, retryDelayMs: () => 20 })
    const begin = performance.now()
    const callbacks = await sender.send(createEvent())
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
    const webhook = createWebhook(url)
    const { sender, answers } = createSenderHarness([webhook], { retries: 0 })
    await sender.send(createEvent())
    expect([answers(), readCircuit(webhook)]).toEqual([[[null, message]], ['closed', 1]])
  })
})

describe('a call over TLS', () => {
  it('fails on a server without TLS', async () => {
    const { url } = await createEndpoint()
    const { sender, answers } = createSenderHarness([createWebhook(url.replace('http:', 'HTTPS:'))], { retries: 0 })
    await sender.send(createEvent())
    expect(answers()).toEqual([[null, expect.stringMatching(/^Connection failed \([A-Z_]+\)$/)]])
  })
})

describe('the circuit', () => {
  it('opens with the thirtieth consecutive failure, retries included, and nothing more is sent', async () => {
    const { url, arrivals } = await createEndpoint(answer(500))
    const webhook = createWebhook(url)
    const { sender } = createSenderHarness([webhook])
    const counts: unknown[] = []
    for (const event of createEvents(4)) {
      await sender.send(event)
      await sender.settled()
      counts.push([...readCircuit(webhook), arrivals.length])
    }
    expect(counts).toEqual([
      ['closed', 11, 11],
      ['closed', 22, 22],
      ['open', 30, 30],
      ['open', 30, 30],
    ])
  })

  it('counts from zero again after a success', async () => {
    const { url } = await createEndpoint((response, _, nth) => response.writeHead(nth === 30 ? 200 : 500).end())
    const webhook = createWebhook(url)
    const { sender } = createSenderHarness([webhook], { retries: 0 })
    const counts: unknown[] = []
    for (const event of createEvents(60)) {
      await sender.send(event)
      counts.push(webhook.circuit_failure_count)
    }
    expect([counts[28], counts[29], counts[30], counts[58], counts[59]]).toEqual([29, 0, 1, 29, 30])
    expect(webhook.circuit_state).toBe('open')
  })

  it('cancels pending retries when it opens, and those of pending calls', async () => {
    const held: (() => void)[] = []
    const { url, arrivals } = await createEndpoint((response, _, nth) => {
      if (nth === 2) held.push(() => response.writeHead(500).end())
      else response.writeHead(500).end()
    })
    const webhook = createWebhook(url, { circuit_failure_count: 28 })
    const other = createWebhook(url, { id: 'otherother', topic: 'orders.pay' })
    const { sender } = createSenderHarness([webhook, other], { retryDelayMs: () => HOUR_MS })
    const [first, second, third] = createEvents(3)
    await sender.send(first ?? createEvent())
    const sending = sender.send(second ?? createEvent())
    await expect.poll(() => held.length, { timeout: 10_000 }).toBe(1)
    await sender.send(third ?? createEvent())
    expect(readCircuit(webhook)).toEqual(['open', 30])
    for (const end of held) end()
    await sending
    await sender.settled()
    expect([readCircuit(webhook), arrivals.length]).toEqual([['open', 30], 3])
  })

  it('stays open when a pending call succeeds', async () => {
    const { url } = await createEndpoint((response) => {
      webhook.circuit_state = 'open'
      response.end()
    })
    const webhook = createWebhook(url, { circuit_failure_count: 30 })
    const { sender } = createSenderHarness([webhook])
    await sender.send(createEvent())
    expect(readCircuit(webhook)).toEqual(['open', 30])
  })

  it('allows calls again after a reset', async () => {
    const { url, arrivals } = await createEndpoint()
    const webhook = createWebhook(url, { circuit_state: 'open', circuit_failure_count: 30 })
    const { sender } = createSenderHarness([webhook])
    await sender.send(createEvent())
    Object.assign(webhook, { circuit_state: 'closed', circuit_failure_count: 0 })
    await sender.send(createEvent())
    expect(arrivals).toHaveLength(1)
  })

  it('stops waiting calls when it opens', async () => {
    const { url, arrivals } = await createEndpoint(answer(500))
    const webhook = createWebhook(url)
    const { sender, records } = createSenderHarness([webhook], { retryDelayMs: () => HOUR_MS })
    const calls = await Promise.all(createEvents(400).map((event) => sender.send(event)))
    await sender.settled()
    expect(readCircuit(webhook)).toEqual(['open', 30])
    expect(arrivals.length).toBeGreaterThanOrEqual(30)
    expect(arrivals.length).toBeLessThan(400)
    expect([calls.flat().length, records.eventCallbacks.size]).toEqual([arrivals.length, arrivals.length])
  })
})
