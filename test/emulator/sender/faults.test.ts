import { createReceiver } from 'hooklayer'
import { createNodeListener } from 'hooklayer/node'
import { TEST_SECRET } from 'hooklayer/testing'
import { describe, expect, it } from 'vitest'
import type { Faults } from '../../../src/emulator/sender/fault-plan.ts'
import { recordingLogger } from '../../deliveries.ts'
import {
  answer,
  closeAfterEach,
  createEndpoint,
  createEvent,
  createEvents,
  createSenderHarness,
  createWebhook,
  readBody,
  readNumber,
  type SenderHarness,
  startServer,
} from './harness.ts'

closeAfterEach()

/** The fault that caused each call, if any, and its response code. */
const readFaults = ({ callbacks }: SenderHarness) =>
  callbacks().map(({ metadata, response_code }) => [metadata.fault, response_code])

/** A receiver with secrets by topic, and the events that its handlers received. */
async function createShop(): Promise<{ url: string; handled: unknown[] }> {
  const handled: unknown[] = []
  const secrets = { 'orders.place': TEST_SECRET, 'orders.approve': 'the secret of another webhook' }
  const { logger } = recordingLogger()
  const receiver = createReceiver({ secrets, logger })
  receiver.on(['orders.place', 'orders.approve'], ({ topic, resource }) => void handled.push([topic, resource.number]))
  return { url: await startServer(createNodeListener(receiver)), handled }
}

describe('a sender with faults', () => {
  it('sends duplicates with the same bytes, at once or after the first call', async () => {
    const overlaps: boolean[] = []
    let open = 0
    const { url, arrivals } = await createEndpoint((response) => {
      open += 1
      overlaps.push(open > 1)
      setTimeout(() => {
        open -= 1
        response.end()
      }, 20)
    })
    const harness = createSenderHarness([createWebhook(url)], { faults: { duplicate: 1 } })
    for (const event of createEvents(6)) {
      await harness.sender.send(event)
      await harness.sender.settled()
    }
    const pairs = Array.from({ length: 6 }, (_, i) => arrivals.slice(2 * i, 2 * i + 2))
    for (const [first, second] of pairs) expect(second?.signature).toBe(first?.signature)
    expect(arrivals.map(readNumber)).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6])
    const second = overlaps.filter((_, i) => i % 2 === 1)
    expect(new Set(second)).toEqual(new Set([true, false]))
    expect(readFaults(harness).slice(0, 2)).toEqual([
      [undefined, '200'],
      ['duplicate', '200'],
    ])
  })

  it('retries a failed duplicate like any delivery', async () => {
    const { url } = await createEndpoint(answer(500))
    const webhook = createWebhook(url)
    const harness = createSenderHarness([webhook], { faults: { duplicate: 1 }, retries: 2 })
    await harness.sender.send(createEvent())
    await harness.sender.settled()
    const faults = readFaults(harness).map(([fault]) => fault)
    expect(faults.filter((fault) => fault === 'duplicate')).toHaveLength(3)
    expect([faults.length, webhook.circuit_failure_count]).toEqual([6, 6])
  })

  it('holds a delivery back until the next one of its webhook has overtaken it', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createSenderHarness([createWebhook(url)], { faults: { reorder: 1 } })
    const begin = performance.now()
    await Promise.all(createEvents(4).map((event) => sender.send(event)))
    expect(performance.now() - begin).toBeLessThan(900)
    const order = arrivals.map(readNumber)
    expect([...order].sort()).toEqual([1, 2, 3, 4])
    expect(order.indexOf(1)).toBeGreaterThan(order.indexOf(2))
    expect(order.indexOf(3)).toBeGreaterThan(order.indexOf(4))
  })

  it('holds a delivery back for at most one second', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createSenderHarness([createWebhook(url)], { faults: { reorder: 1 } })
    const begin = performance.now()
    await sender.send(createEvent())
    expect(performance.now() - begin).toBeGreaterThan(950)
    expect(arrivals).toHaveLength(1)
  })

  it('delays each delivery by `delayMs`', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createSenderHarness([createWebhook(url)], { faults: { delayMs: 80 } })
    const begin = performance.now()
    await sender.send(createEvent())
    expect(performance.now() - begin).toBeGreaterThan(75)
    expect(arrivals).toHaveLength(1)
  })

  it('cuts a connection in the middle of the body, and then delivers', async () => {
    const { url, arrivals } = await createEndpoint()
    const harness = createSenderHarness([createWebhook(url)], { faults: { dropMidBody: 1 } })
    const callbacks = await harness.sender.send(createEvent())
    await harness.sender.settled()
    const [dropped, whole] = arrivals
    expect(arrivals.map(({ isComplete }) => isComplete)).toEqual([false, true])
    expect(dropped?.headers['content-length']).toBe(whole?.headers['content-length'])
    const length = Number(whole?.headers['content-length'])
    expect(dropped && readBody(dropped)).toEqual(whole && readBody(whole).subarray(0, Math.floor(length / 2)))
    expect(harness.answers()).toEqual([
      [null, 'Connection dropped in the middle of the body'],
      ['200', 'OK'],
    ])
    expect([callbacks.length, callbacks[0]?.response_code]).toEqual([1, '200'])
  })

  it('splits the body inside a character, and a receiver accepts it', async () => {
    const { url, arrivals } = await createEndpoint()
    const shop = await createShop()
    const webhooks = [createWebhook(url), createWebhook(shop.url, { id: 'shopshopsh' })]
    const harness = createSenderHarness(webhooks, { faults: { splitChunks: 1 } })
    await harness.sender.send(createEvent({ number: 'Łódź' }))
    const [arrival] = arrivals
    expect(arrival?.headers['transfer-encoding']).toBe('chunked')
    expect(arrival?.headers).not.toHaveProperty('content-length')
    const decode = (chunk: Uint8Array = new Uint8Array()) => new TextDecoder('utf-8', { fatal: true }).decode(chunk)
    expect(arrival?.chunks).toHaveLength(2)
    expect(() => decode(arrival?.chunks[0])).toThrow(TypeError)
    expect(decode(arrival && readBody(arrival))).toContain('Łódź')
    expect(shop.handled).toEqual([['orders.place', 'Łódź']])
  })

  it('sends a body slowly in ten parts, and a receiver accepts it', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createSenderHarness([createWebhook(url)], { faults: { slowBody: 1 } })
    const begun = performance.now()
    await sender.send(createEvent({ number: 'R1' }))
    expect(performance.now() - begun).toBeGreaterThan(1700)
    const [arrival] = arrivals
    expect(arrival?.chunks.length).toBeGreaterThanOrEqual(9)
    expect(arrival?.headers['content-length']).toBe(String(arrival && readBody(arrival).length))
  })

  it('splits a body without multi-byte characters in the middle', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createSenderHarness([createWebhook(url)], { faults: { splitChunks: 1 } })
    await sender.send(createEvent())
    const [first = 0, second = 0] = arrivals[0]?.chunks.map(({ length }) => length) ?? []
    expect(Math.abs(first - second)).toBeLessThanOrEqual(1)
  })

  it.each(['wrongSignature', 'wrongTopic'])('is refused once for %s, and then delivers', async (name) => {
    const { url, handled } = await createShop()
    const harness = createSenderHarness([createWebhook(url)], { faults: { [name]: 1 } })
    const callbacks = await harness.sender.send(createEvent({ number: 'R1' }))
    await harness.sender.settled()
    expect(readFaults(harness)).toEqual([
      [name, '401'],
      [undefined, '200'],
    ])
    expect([handled, callbacks]).toEqual([[['orders.place', 'R1']], harness.callbacks().slice(1)])
  })

  it('does not count decoys toward the circuit', async () => {
    const { url, arrivals } = await createEndpoint(answer(401))
    const webhook = createWebhook(url)
    const faults = { wrongSignature: 1, wrongTopic: 1, dropMidBody: 1 }
    const { sender } = createSenderHarness([webhook], { faults, retries: 0 })
    for (const event of createEvents(10)) await sender.send(event)
    expect([arrivals.length, webhook.circuit_failure_count, webhook.circuit_state]).toEqual([40, 10, 'closed'])
  })

  it('sends another topic of the resource, or `orders.place` if the resource has only one', async () => {
    const { url, arrivals } = await createEndpoint()
    const webhooks = ['orders.place', 'skus.tagged'].map((topic) => createWebhook(url, { id: topic, topic }))
    const { sender } = createSenderHarness(webhooks, { faults: { wrongTopic: 1 } })
    await sender.send(createEvent({}, 'orders.place'))
    await sender.send(createEvent({}, 'skus.tagged'))
    expect(arrivals.map(({ topic }) => topic)).toEqual([
      'orders.approve',
      'orders.place',
      'orders.place',
      'skus.tagged',
    ])
  })

  it('sends a delivery again after 2xx, with the delay of a retry', async () => {
    const { url, arrivals } = await createEndpoint()
    const attempts: number[] = []
    const retryDelayMs = (attempt: number) => attempts.push(attempt) * 30
    const harness = createSenderHarness([createWebhook(url)], { faults: { retryAfterSuccess: 1 }, retryDelayMs })
    await harness.sender.send(createEvent())
    expect(arrivals).toHaveLength(1)
    await harness.sender.settled()
    expect(arrivals.map(({ signature }) => signature)).toEqual(Array(2).fill(arrivals[0]?.signature))
    expect([attempts, readFaults(harness)]).toEqual([
      [1],
      [
        [undefined, '200'],
        ['retryAfterSuccess', '200'],
      ],
    ])
  })
})

describe('a seed', () => {
  async function collectFaults(seed: number | undefined, faults: Faults): Promise<string[]> {
    const { url } = await createEndpoint()
    const harness = createSenderHarness([createWebhook(url)], { seed, faults })
    const seen: string[] = []
    for (const event of createEvents(30)) {
      await harness.sender.send(event)
      await harness.sender.settled()
      seen.push(readFaults(harness).join(' '))
      harness.records.eventCallbacks.clear()
    }
    return seen
  }

  const SOME = { duplicate: 0.3, wrongSignature: 0.3, retryAfterSuccess: 0.3 }

  it('gives the same faults for the same events', async () => {
    const [first, second, other] = await Promise.all([
      collectFaults(7, SOME),
      collectFaults(7, SOME),
      collectFaults(8, SOME),
    ])
    expect(second).toEqual(first)
    expect(other).not.toEqual(first)
    expect(await collectFaults(undefined, SOME)).toEqual(await collectFaults(1, SOME))
  })

  it('gives the same faults of one kind, whatever other faults are set', async () => {
    const signatures = (seen: string[]) => seen.map((calls) => calls.includes('wrongSignature'))
    const alone = await collectFaults(7, { wrongSignature: 0.3 })
    expect(signatures(await collectFaults(7, SOME))).toEqual(signatures(alone))
    expect(new Set(signatures(alone))).toEqual(new Set([true, false]))
  })

  it('gives about as many faults as the probability says', async () => {
    const { url } = await createEndpoint()
    const { sender, records } = createSenderHarness([createWebhook(url)], { faults: { wrongSignature: 0.2 } })
    await Promise.all(createEvents(500).map((event) => sender.send(event)))
    expect(records.eventCallbacks.size - 500).toBeGreaterThan(70)
    expect(records.eventCallbacks.size - 500).toBeLessThan(130)
  })
})

describe('an option', () => {
  it.each<[string, object, string]>([
    ['that is unknown', { duplicates: 1 }, 'faults has no option `duplicates`. Did you mean `duplicate`?'],
    ['over 1', { duplicate: 1.1 }, 'faults: `duplicate` must be a probability from 0 to 1.'],
    ['under 0', { reorder: -0.1 }, 'faults: `reorder` must be a probability from 0 to 1.'],
    ['that is not a number', { dropMidBody: Number.NaN }, 'faults: `dropMidBody` must be a probability from 0 to 1.'],
    ['of another type', { wrongTopic: true }, 'faults: `wrongTopic` must be a probability from 0 to 1.'],
    ['that is negative', { delayMs: -1 }, 'faults: `delayMs` must not be negative.'],
  ])('%s is refused when the sender is created', (_, faults, message) => {
    expect(() => createSenderHarness([], { faults })).toThrow(new TypeError(message))
  })

  it('that is undefined is ignored', () => {
    expect(() => createSenderHarness([], { faults: { duplicate: undefined, delayMs: undefined } })).not.toThrow()
  })
})
