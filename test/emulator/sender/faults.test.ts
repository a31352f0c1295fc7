import { createReceiver } from 'hooklayer'
import { createNodeListener } from 'hooklayer/node'
import { TEST_SECRET } from 'hooklayer/testing'
import { describe, expect, it } from 'vitest'
import type { Faults } from '../../../src/emulator/sender/fault-plan.ts'
import { recordingLogger } from '../../deliveries.ts'
import {
  answer,
  bodyOf,
  closeAfterEach,
  createEndpoint,
  createScene,
  createUrl,
  eventOf,
  numbered,
  numberOf,
  type Scene,
  webhookFor,
} from './harness.ts'

closeAfterEach()

/** What each call was made for beyond the deliveries themselves, and how it was answered. */
const booked = ({ callbacks }: Scene) =>
  callbacks().map(({ metadata, response_code }) => [metadata.faults, response_code])

/** A receiver, its secrets bound to topics, and what its handlers saw. */
async function createShop(): Promise<{ url: string; handled: unknown[] }> {
  const handled: unknown[] = []
  const secrets = { 'orders.place': TEST_SECRET, 'orders.approve': 'that of another webhook' }
  const { logger } = recordingLogger()
  const receiver = createReceiver({ secrets, logger })
  receiver.on(['orders.place', 'orders.approve'], ({ topic, resource }) => void handled.push([topic, resource.number]))
  return { url: await createUrl(createNodeListener(receiver)), handled }
}

describe('a misbehaving sender', () => {
  it('sends duplicates at once or when the first call has ended, with the same bytes', async () => {
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
    const scene = createScene([webhookFor(url)], { faults: { duplicate: 1 } })
    for (const event of numbered(6)) {
      await scene.sender.send(event)
      await scene.sender.settled()
    }
    const pairs = Array.from({ length: 6 }, (_, i) => arrivals.slice(2 * i, 2 * i + 2))
    for (const [first, second] of pairs) expect(second?.signature).toBe(first?.signature)
    expect(arrivals.map(numberOf)).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6])
    const second = overlaps.filter((_, i) => i % 2 === 1)
    expect(new Set(second)).toEqual(new Set([true, false]))
    expect(booked(scene).slice(0, 2)).toEqual([
      [undefined, '200'],
      ['duplicate', '200'],
    ])
  })

  it('retries a duplicate that fails as any delivery', async () => {
    const { url } = await createEndpoint(answer(500))
    const webhook = webhookFor(url)
    const scene = createScene([webhook], { faults: { duplicate: 1 }, retries: 2 })
    await scene.sender.send(eventOf())
    await scene.sender.settled()
    const reasons = booked(scene).map(([reason]) => reason)
    expect(reasons.filter((reason) => reason === 'duplicate')).toHaveLength(3)
    expect([reasons.length, webhook.circuit_failure_count]).toEqual([6, 6])
  })

  it('lets a delivery be overtaken by the next one of its webhook', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createScene([webhookFor(url)], { faults: { reorder: 1 } })
    const begin = performance.now()
    await Promise.all(numbered(4).map((event) => sender.send(event)))
    expect(performance.now() - begin).toBeLessThan(900)
    const order = arrivals.map(numberOf)
    expect([...order].sort()).toEqual([1, 2, 3, 4])
    expect(order.indexOf(1)).toBeGreaterThan(order.indexOf(2))
    expect(order.indexOf(3)).toBeGreaterThan(order.indexOf(4))
  })

  it('holds a delivery back for a second where none overtakes it', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createScene([webhookFor(url)], { faults: { reorder: 1 } })
    const begin = performance.now()
    await sender.send(eventOf())
    expect(performance.now() - begin).toBeGreaterThan(950)
    expect(arrivals).toHaveLength(1)
  })

  it('is late by `delayMs`', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createScene([webhookFor(url)], { faults: { delayMs: 80 } })
    const begin = performance.now()
    await sender.send(eventOf())
    expect(performance.now() - begin).toBeGreaterThan(75)
    expect(arrivals).toHaveLength(1)
  })

  it('drops a connection in the middle of the body, and then delivers', async () => {
    const { url, arrivals } = await createEndpoint()
    const scene = createScene([webhookFor(url)], { faults: { dropMidBody: 1 } })
    const callbacks = await scene.sender.send(eventOf())
    await scene.sender.settled()
    const [dropped, whole] = arrivals
    expect(arrivals.map(({ isComplete }) => isComplete)).toEqual([false, true])
    expect(dropped?.headers['content-length']).toBe(whole?.headers['content-length'])
    const length = Number(whole?.headers['content-length'])
    expect(dropped && bodyOf(dropped)).toEqual(whole && bodyOf(whole).subarray(0, Math.floor(length / 2)))
    expect(scene.answers()).toEqual([
      [null, 'Connection dropped in the middle of the body'],
      ['200', 'OK'],
    ])
    expect([callbacks.length, callbacks[0]?.response_code]).toEqual([1, '200'])
  })

  it('splits the body inside a character, which a receiver takes', async () => {
    const { url, arrivals } = await createEndpoint()
    const shop = await createShop()
    const webhooks = [webhookFor(url), webhookFor(shop.url, { id: 'shopshopsh' })]
    const scene = createScene(webhooks, { faults: { splitChunks: 1 } })
    await scene.sender.send(eventOf({ number: 'Łódź' }))
    const [arrival] = arrivals
    expect(arrival?.headers['transfer-encoding']).toBe('chunked')
    expect(arrival?.headers).not.toHaveProperty('content-length')
    const decode = (chunk: Uint8Array = new Uint8Array()) => new TextDecoder('utf-8', { fatal: true }).decode(chunk)
    expect(arrival?.chunks).toHaveLength(2)
    expect(() => decode(arrival?.chunks[0])).toThrow(TypeError)
    expect(decode(arrival && bodyOf(arrival))).toContain('Łódź')
    expect(shop.handled).toEqual([['orders.place', 'Łódź']])
  })

  it('splits a body of plain characters in its middle', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createScene([webhookFor(url)], { faults: { splitChunks: 1 } })
    await sender.send(eventOf())
    const [first = 0, second = 0] = arrivals[0]?.chunks.map(({ length }) => length) ?? []
    expect(Math.abs(first - second)).toBeLessThanOrEqual(1)
  })

  it.each(['wrongSignature', 'wrongTopic'])('is refused once for %s, and then delivers', async (name) => {
    const { url, handled } = await createShop()
    const scene = createScene([webhookFor(url)], { faults: { [name]: 1 } })
    const callbacks = await scene.sender.send(eventOf({ number: 'R1' }))
    await scene.sender.settled()
    expect(booked(scene)).toEqual([
      [name, '401'],
      [undefined, '200'],
    ])
    expect([handled, callbacks]).toEqual([[['orders.place', 'R1']], scene.callbacks().slice(1)])
  })

  it('does not open the circuit by what it pretends', async () => {
    const { url, arrivals } = await createEndpoint(answer(401))
    const webhook = webhookFor(url)
    const faults = { wrongSignature: 1, wrongTopic: 1, dropMidBody: 1 }
    const { sender } = createScene([webhook], { faults, retries: 0 })
    for (const event of numbered(10)) await sender.send(event)
    expect([arrivals.length, webhook.circuit_failure_count, webhook.circuit_state]).toEqual([40, 10, 'closed'])
  })

  it('names another topic of the resource, or of another one where it has a single topic', async () => {
    const { url, arrivals } = await createEndpoint()
    const webhooks = ['orders.place', 'skus.tagged'].map((topic) => webhookFor(url, { id: topic, topic }))
    const { sender } = createScene(webhooks, { faults: { wrongTopic: 1 } })
    await sender.send(eventOf({}, 'orders.place'))
    await sender.send(eventOf({}, 'skus.tagged'))
    expect(arrivals.map(({ topic }) => topic)).toEqual([
      'orders.approve',
      'orders.place',
      'orders.place',
      'skus.tagged',
    ])
  })

  it('fires again what was answered 2xx, after the delay of a retry', async () => {
    const { url, arrivals } = await createEndpoint()
    const attempts: number[] = []
    const retryDelayMs = (attempt: number) => attempts.push(attempt) * 30
    const scene = createScene([webhookFor(url)], { faults: { retryAfterSuccess: 1 }, retryDelayMs })
    await scene.sender.send(eventOf())
    expect(arrivals).toHaveLength(1)
    await scene.sender.settled()
    expect(arrivals.map(({ signature }) => signature)).toEqual(Array(2).fill(arrivals[0]?.signature))
    expect([attempts, booked(scene)]).toEqual([
      [1],
      [
        [undefined, '200'],
        ['retryAfterSuccess', '200'],
      ],
    ])
  })
})

describe('a seed', () => {
  async function misfortunes(seed: number | undefined, faults: Faults): Promise<string[]> {
    const { url } = await createEndpoint()
    const scene = createScene([webhookFor(url)], { seed, faults })
    const seen: string[] = []
    for (const event of numbered(30)) {
      await scene.sender.send(event)
      await scene.sender.settled()
      seen.push(booked(scene).join(' '))
      scene.records.eventCallbacks.clear()
    }
    return seen
  }

  const SOME = { duplicate: 0.3, wrongSignature: 0.3, retryAfterSuccess: 0.3 }

  it('brings the same misfortunes for the same events', async () => {
    const [first, second, other] = await Promise.all([misfortunes(7, SOME), misfortunes(7, SOME), misfortunes(8, SOME)])
    expect(second).toEqual(first)
    expect(other).not.toEqual(first)
    expect(await misfortunes(undefined, SOME)).toEqual(await misfortunes(1, SOME))
  })

  it('brings misfortunes of one kind whatever else is asked for', async () => {
    const signatures = (seen: string[]) => seen.map((calls) => calls.includes('wrongSignature'))
    const alone = await misfortunes(7, { wrongSignature: 0.3 })
    expect(signatures(await misfortunes(7, SOME))).toEqual(signatures(alone))
    expect(new Set(signatures(alone))).toEqual(new Set([true, false]))
  })

  it('brings about as many as the probability says', async () => {
    const { url } = await createEndpoint()
    const { sender, records } = createScene([webhookFor(url)], { faults: { wrongSignature: 0.2 } })
    await Promise.all(numbered(500).map((event) => sender.send(event)))
    expect(records.eventCallbacks.size - 500).toBeGreaterThan(70)
    expect(records.eventCallbacks.size - 500).toBeLessThan(130)
  })
})

describe('an option', () => {
  it.each<[string, object, string]>([
    ['that is unknown', { duplicates: 1 }, '`faults` has no option `duplicates`.'],
    ['over 1', { duplicate: 1.1 }, '`faults.duplicate` must be a probability from 0 to 1.'],
    ['under 0', { reorder: -0.1 }, '`faults.reorder` must be a probability from 0 to 1.'],
    ['that is not a number', { dropMidBody: Number.NaN }, '`faults.dropMidBody` must be a probability from 0 to 1.'],
    ['of another type', { wrongTopic: true }, '`faults.wrongTopic` must be a probability from 0 to 1.'],
    ['that goes back in time', { delayMs: -1 }, '`faults.delayMs` must be a number of milliseconds, 0 or more.'],
  ])('%s is refused when the sender is made', (_, faults, message) => {
    expect(() => createScene([], { faults })).toThrow(new TypeError(message))
  })

  it('that is undefined is the same as none', () => {
    expect(() => createScene([], { faults: { duplicate: undefined, delayMs: undefined } })).not.toThrow()
  })
})
