import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { metrics as metricsApi } from '@opentelemetry/api'
import { DataPointType, type HistogramMetricData } from '@opentelemetry/sdk-metrics'
import { createWorker } from 'hooklayer'
import type { InboxStatistics } from 'hooklayer/drivers'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createNodeListener } from 'hooklayer/node'
import { createOpenTelemetryObserver } from 'hooklayer/opentelemetry'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { describe, expect, it } from 'vitest'
import { CART, delivery, OTHER_SECRET, recordingLogger, SECRET, withHeaders } from '../deliveries.ts'
import { waitFor } from '../wait-for.ts'
import { createScene, createSdk, pointsOf } from './sdk.ts'

const PLACED = delivery('orders.place', CART)
const FORGED = delivery('orders.place', CART, OTHER_SECRET)
const ORDERS = { 'messaging.destination.name': 'orders.place' }
const PROCESS = { 'messaging.system': 'commercelayer', 'messaging.operation.name': 'process', ...ORDERS }
const CIRCUIT = 'commercelayer.webhook.circuit.failures'

describe('the duration of processing', () => {
  it('is that of the span', async () => {
    const { receiver, metrics, span } = createScene()
    await receiver.receive(PLACED)
    const [[, value] = []] = pointsOf(await metrics(), 'messaging.process.duration')
    const [seconds, nanoseconds] = span('process orders.place').duration
    expect((value as { sum: number }).sum).toBeCloseTo(seconds + nanoseconds / 1e9, 5)
  })

  it('is in seconds, in the buckets of the conventions', async () => {
    const { receiver, metrics } = createScene()
    receiver.on('orders.place', () => new Promise((resolve) => setTimeout(resolve, 30)))
    await receiver.receive(PLACED)
    const data = (await metrics()).get('messaging.process.duration') as HistogramMetricData
    expect(data.descriptor).toMatchObject({ unit: 's' })
    expect(data.dataPointType).toBe(DataPointType.HISTOGRAM)
    const [point] = data.dataPoints
    expect(point?.attributes).toEqual({ ...PROCESS, 'hooklayer.outcome': 'handled' })
    const buckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
    expect(point?.value.buckets.boundaries).toEqual(buckets)
    expect(point?.value.sum).toBeGreaterThan(0.025)
    expect(point?.value.sum).toBeLessThan(5)
  })

  it('is told apart by topic, outcome and error, and by nothing else', async () => {
    const { receiver, metrics } = createScene({}, { captureResourceIds: true })
    receiver.on('orders.place', () => {
      throw new Error('down')
    })
    const other = delivery('orders.place', { data: { ...CART.data, id: 'another' } })
    for (const one of [PLACED, other, delivery('orders.pay', CART)]) await receiver.receive(one)
    const points = ((await metrics()).get('messaging.process.duration') as HistogramMetricData).dataPoints
    expect(points.map(({ attributes, value }) => [attributes, value.count])).toEqual([
      [{ ...PROCESS, 'hooklayer.outcome': 'failed', 'error.type': 'HANDLER_FAILED' }, 2],
      [{ ...PROCESS, 'messaging.destination.name': 'orders.pay', 'hooklayer.outcome': 'ignored' }, 1],
    ])
  })
})

describe('the number of messages', () => {
  it('counts what Commerce Layer has sent, and not the attempts of workers', async () => {
    const inbox = createMemoryInbox()
    const { receiver, metrics, spans } = createScene({ inbox })
    receiver.on('orders.place', () => {
      throw new Error('down')
    })
    await receiver.receive(PLACED)
    const logger = recordingLogger().logger
    const worker = createWorker({ receiver, inbox, attempts: 2, backoffMs: 1, logger })
    await waitFor(() => expect(spans()).toHaveLength(4))
    await worker.stop()
    const collected = await metrics()
    expect(pointsOf(collected, 'messaging.client.consumed.messages')).toEqual([
      [{ ...PROCESS, 'hooklayer.outcome': 'queued' }, 1],
    ])
    const durations = (collected.get('messaging.process.duration') as HistogramMetricData).dataPoints
    expect(durations.map(({ value }) => value.count)).toEqual([1, 2])
  })

  it('counts what was redelivered', async () => {
    const { receiver, metrics } = createScene()
    receiver.on('orders.place', () => {})
    await receiver.redeliver('orders.place', CART)
    const handled = [[{ ...PROCESS, 'hooklayer.outcome': 'handled' }, 1]]
    expect(pointsOf(await metrics(), 'messaging.client.consumed.messages')).toEqual(handled)
  })
})

describe('signatures that failed', () => {
  it('are counted by topic and code, and other refusals are not', async () => {
    const { receiver, metrics } = createScene({ secrets: { 'orders.place': 'a-secret-of-orders-place' } })
    await receiver.receive(FORGED)
    await receiver.receive(FORGED)
    await receiver.receive(withHeaders(PLACED, { 'x-commercelayer-signature': undefined }))
    await receiver.receive({ ...PLACED, method: 'GET' })
    await receiver.receive(withHeaders(PLACED, { 'content-encoding': 'gzip' }))
    const points = pointsOf(await metrics(), 'hooklayer.signature.failures')
    expect(points).toContainEqual([{ ...ORDERS, 'error.type': 'SIGNATURE_MISMATCH' }, 2])
    expect(points.map(([, value]) => value)).toEqual([2, 1])
    expect(points[1]?.[0]).toMatchObject({ 'error.type': 'SIGNATURE_MISSING' })
  })

  it('of 10,000 topics that a stranger has made up are one series in each metric', async () => {
    const { receiver, metrics } = createScene()
    receiver.on('*', () => {})
    const server = createServer(createNodeListener(receiver)).listen(0, '127.0.0.1')
    await waitFor(() => expect(server.listening).toBe(true))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const made = Array.from({ length: 10_000 }, (_, i) => `made_up_${i}.topic`)
    const body = Buffer.from(PLACED.body)
    const send = async (topic: string, at: number) => {
      // Every other one is a captured delivery under another topic: its signature is genuine.
      const { headers } = at % 2 ? FORGED : PLACED
      const options = { method: 'POST', headers: { ...headers, 'x-commercelayer-topic': topic }, agent }
      const [response] = (await once(request(url, options).end(body), 'response')) as [IncomingMessage]
      response.resume()
      await once(response, 'end')
      return Number(response.statusCode)
    }
    const agent = new Agent({ keepAlive: true, maxSockets: 16 })
    const statuses = new Map<number, number>()
    const senders = Array.from({ length: 16 }, async () => {
      for (let topic = made.pop(); topic; topic = made.pop()) {
        const status = await send(topic, made.length)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    })
    await Promise.all(senders)
    agent.destroy()
    server.close()
    expect(statuses.get(401)).toBe(5000)
    expect([...statuses.values()].reduce((sum, count) => sum + count)).toBe(10_000)
    const collected = await metrics()
    const other = { 'messaging.destination.name': '_other' }
    expect(pointsOf(collected, 'hooklayer.signature.failures')).toEqual([
      [{ ...other, 'error.type': 'SIGNATURE_MISMATCH' }, 5000],
    ])
    expect(pointsOf(collected, 'messaging.client.consumed.messages')).toMatchObject([[other, 5000]])
    expect(pointsOf(collected, 'messaging.process.duration')).toMatchObject([[other, { count: 5000 }]])
    expect(pointsOf(collected, CIRCUIT)).toMatchObject([[other, expect.any(Number)]])
  }, 120_000)
})

describe('the failures of a circuit', () => {
  it('are those in a row, until a delivery of the topic succeeds', async () => {
    const { receiver, metrics } = createScene({ idempotency: { store: createMemoryStore() } })
    let isDown = false
    receiver.on('orders.place', () => {
      if (isDown) throw new Error('down')
    })
    const other = delivery('orders.place', { ...CART, data: { ...CART.data, id: 'another' } })
    const failures = async () => pointsOf(await metrics(), CIRCUIT)
    expect(await failures()).toEqual([])
    await receiver.receive(PLACED)
    expect(await failures()).toEqual([[ORDERS, 0]])
    isDown = true
    for (let i = 0; i < 3; i += 1) await receiver.receive(other)
    await receiver.receive(PLACED) // A duplicate.
    await receiver.receive(FORGED)
    expect(await failures()).toEqual([[ORDERS, 3]])
    isDown = false
    await receiver.receive(other)
    expect(await failures()).toEqual([[ORDERS, 0]])
  })

  it('are not changed by a worker, whose failures are no answers', async () => {
    const inbox = createMemoryInbox()
    const { receiver, metrics, spans } = createScene({ inbox, inboxMode: 'on-failures' })
    receiver.on('orders.place', () => {
      throw new Error('down')
    })
    await receiver.receive(PLACED)
    await receiver.receive(PLACED)
    const attempt = { number: 1, signal: new AbortController().signal }
    const stored = { topic: 'orders.place', body: PLACED.body, receivedAt: new Date() }
    await expect(receiver.handleStored(stored, attempt)).rejects.toThrow()
    await expect(receiver.handleStored(stored)).rejects.toThrow()
    expect(spans()).toHaveLength(4)
    expect(pointsOf(await metrics(), CIRCUIT)).toEqual([[ORDERS, 2]])
  })

  it('are not changed by what is redelivered, in the middle of an outage', async () => {
    const { receiver, metrics } = createScene()
    let isDown = true
    receiver.on('orders.place', () => {
      if (isDown) throw new Error('down')
    })
    await receiver.receive(PLACED)
    await receiver.receive(PLACED)
    await expect(receiver.redeliver('orders.place', CART)).rejects.toThrow()
    await expect(receiver.redeliver('orders.place', {})).rejects.toThrow()
    isDown = false
    await receiver.redeliver('orders.place', CART)
    expect(pointsOf(await metrics(), CIRCUIT)).toEqual([[ORDERS, 2]])
  })

  it('count a verified delivery for which there was no place any more', async () => {
    const { receiver, metrics } = createScene({ maxInFlight: 1, secrets: async () => SECRET })
    receiver.on('orders.place', () => sleep(50))
    const answers = await Promise.all(
      [receiver.receive(PLACED), receiver.receive(PLACED)].map(async (answer) => {
        const { status } = await answer
        return [status, pointsOf(await metrics(), CIRCUIT)]
      }),
    )
    expect(answers).toContainEqual([503, [[ORDERS, 1]]])
    expect(answers).toContainEqual([200, [[ORDERS, 0]]])
  })
})

describe('the gauges of an inbox', () => {
  it('are what waits and what is dead', async () => {
    const inbox = createMemoryInbox()
    const { receiver, metrics, spans } = createScene({ inbox }, { inbox })
    receiver.on('orders.place', () => {
      throw new Error('down')
    })
    const depth = async () => {
      const collected = await metrics()
      return ['hooklayer.inbox.depth', 'hooklayer.inbox.dead'].map((name) => pointsOf(collected, name))
    }
    await receiver.receive(PLACED)
    await receiver.receive(delivery('orders.pay', CART))
    expect(await depth()).toEqual([[[{}, 2]], [[{}, 0]]])
    const worker = createWorker({ receiver, inbox, attempts: 1, logger: recordingLogger().logger })
    await waitFor(() => expect(spans()).toHaveLength(5))
    await worker.stop()
    expect(await depth()).toEqual([[[{}, 1]], [[{}, 1]]])
  })

  it('count each state that is not the end once', async () => {
    const counts = { queued: 1, running: 10, failed: 100, unhandled: 1000, dead: 10_000 }
    const statistics = async (): Promise<InboxStatistics> => ({ ...counts, oldest: undefined, byTopic: {} })
    const { metrics } = createScene({}, { inbox: { statistics } })
    const collected = await metrics()
    expect(pointsOf(collected, 'hooklayer.inbox.depth')).toEqual([[{}, 1111]])
    expect(pointsOf(collected, 'hooklayer.inbox.dead')).toEqual([[{}, 10_000]])
  })

  it('are missing while the inbox fails, and the other metrics are not', async () => {
    const statistics = () => Promise.reject(new Error('down'))
    const { receiver, metrics } = createScene({}, { inbox: { statistics } })
    await receiver.receive(PLACED)
    const collected = await metrics()
    expect(pointsOf(collected, 'hooklayer.inbox.depth')).toEqual([])
    expect(pointsOf(collected, 'messaging.client.consumed.messages')).toHaveLength(1)
  })

  it('are not there without an inbox', async () => {
    const { metrics } = createScene()
    expect((await metrics()).has('hooklayer.inbox.depth')).toBe(false)
  })
})

it('the global provider of metrics is taken, if no other is given', async () => {
  const sdk = createSdk()
  metricsApi.setGlobalMeterProvider(sdk.meterProvider)
  try {
    const { receiver } = createScene({ observers: [createOpenTelemetryObserver()] })
    await receiver.receive(PLACED)
    expect(pointsOf(await sdk.metrics(), 'messaging.client.consumed.messages')).toHaveLength(1)
  } finally {
    metricsApi.disable()
  }
})
