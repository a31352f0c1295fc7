import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { noPostgres } from '../servers/postgres.ts'
import { noRedis } from '../servers/redis.ts'
import { createEffects, type Effects } from './effects.ts'
import { isAcknowledged, sendRest } from './load.ts'
import { type LoadBalancer, openLoadBalancer } from './load-balancer.ts'
import { createShopName, type Places, startPlaces } from './places.ts'
import { openSender, type Sender, type SentOrder } from './sender.ts'
import type { Settings } from './shop/settings.ts'
import { killAll, type ShopProcess, startShop } from './shop-process.ts'

const ENGINES = ['redis', 'postgres'] as const

const DELIVERIES = Number(process.env.FAULT_DELIVERIES ?? 10_000)
/** Deliveries to receivers without an inbox. */
const AT_ONCE = Math.ceil(DELIVERIES / 4)
/** With `ordering: 'resource'`. */
const ORDERED = Math.ceil(DELIVERIES / 10)
const RESOURCES = 50
const RECEIVERS = 4
const WORKERS = 3
const FAULTS = { duplicate: 0.3, reorder: 0.2 }
const IN_FLIGHT = 64
const FIRST = 2 * RECEIVERS
const TIMEOUT_MS = 600_000

let effects: Effects
let balancer: LoadBalancer
let sender: Sender
let places: Places

/** Starts receivers behind one port, and workers. */
async function open(engine: Settings['engine'], both: Partial<Settings>, workers = 0): Promise<void> {
  const receivers: ShopProcess[] = []
  effects = createEffects()
  balancer = await openLoadBalancer(() => receivers.flatMap(({ port }) => port ?? []))
  sender = await openSender(balancer.port, { faults: FAULTS })
  sender.keepCircuitsClosed()
  const settings: Settings = {
    secrets: sender.secrets,
    engine,
    place: places.of(engine, effects),
    name: createShopName(),
    effects: effects.file,
    ...both,
  }
  receivers.push(await startShop({ ...settings, port: 0 }))
  receivers.push(
    ...(await Promise.all(Array.from({ length: RECEIVERS - 1 }, () => startShop({ ...settings, port: 0 })))),
  )
  await Promise.all(Array.from({ length: workers }, () => startShop({ ...settings, worker: {} })))
}

/** Sends the first few slowly, because receivers connect to their engine on first use. */
async function sendAll(count: number, changes: (number: number) => SentOrder = () => ({})): Promise<void> {
  const describeOrder = (number: number): SentOrder => ({ topic: 'customers.create', ...changes(number) })
  let next = 0
  const send = async (end: number) => {
    while (next < end) {
      const number = next++
      await sender.send(number, describeOrder(number))
    }
  }
  const sendUpTo = (end: number, inFlight: number) => Promise.all(Array.from({ length: inFlight }, () => send(end)))
  await sendUpTo(FIRST, FIRST)
  await sendUpTo(count, IN_FLIGHT)
  await sendRest(sender, count, describeOrder)
}

/** Waits until every event has taken effect; returns a summary. */
async function settle(count: number, since: number): Promise<string> {
  const sent = performance.now()
  await vi.waitFor(() => expect(effects.counts().size).toBe(count), { timeout: TIMEOUT_MS, interval: 500 })
  const done = performance.now()
  const calls = sender.calls()
  const counts = effects.counts()
  const repeated = [...counts].filter(([, times]) => times !== 1)
  const refused = calls.filter((call) => !isAcknowledged(call)).length
  const busy = new Set(effects.lines().map(({ pid }) => pid)).size
  const seconds = (ms: number) => (ms / 1000).toFixed(1)
  expect(repeated).toEqual([])
  return `${count} events in ${calls.length} calls, ${refused} refused for a while; handled by ${busy} processes; 0 lost, 0 twice; sent in ${seconds(sent - since)} s, done in ${seconds(done - since)} s`
}

/**
 * Counts events that ran beside another of their resource, and events that were overtaken by one sent after their
 * acknowledgement.
 */
function measureDisorder(): { readonly pairs: number; readonly beside: number; readonly overtaken: number } {
  const sentAt = new Map<number, number>()
  const acknowledgedAt = new Map<number, number>()
  for (const call of sender.calls()) {
    sentAt.set(call.number, Math.min(call.began, sentAt.get(call.number) ?? Number.POSITIVE_INFINITY))
    if (!isAcknowledged(call)) continue
    acknowledgedAt.set(call.number, Math.min(call.ended, acknowledgedAt.get(call.number) ?? Number.POSITIVE_INFINITY))
  }
  const running = new Map<string, number>()
  const handled = new Map<string, number[]>()
  let [pairs, beside, overtaken] = [0, 0, 0]
  for (const { what, resource, number } of effects.lines()) {
    const now = running.get(resource) ?? 0
    running.set(resource, now + (what === 'begin' ? 1 : -1))
    if (what !== 'begin') continue
    if (now > 0) beside += 1
    const earlier = handled.get(resource) ?? []
    const acknowledged = acknowledgedAt.get(number) ?? 0
    for (const other of earlier) {
      const otherSent = sentAt.get(other) ?? 0
      if ((acknowledgedAt.get(other) ?? 0) < (sentAt.get(number) ?? 0)) pairs += 1
      if (acknowledged < otherSent) overtaken += 1
    }
    handled.set(resource, [...earlier, number])
  }
  return { pairs, beside, overtaken }
}

beforeAll(async () => {
  places = await startPlaces()
})
afterAll(() => places?.close())
afterEach(async () => {
  await killAll()
  await sender?.close()
  await balancer?.close()
  effects?.remove()
})

describe.skipIf(noRedis || noPostgres).each(ENGINES)(`${RECEIVERS} receivers on one %s`, (engine) => {
  describe('handle each event once, however often and in whatever order it is sent', () => {
    it(`with ${WORKERS} workers`, { timeout: TIMEOUT_MS }, async () => {
      await open(engine, { inbox: {} }, WORKERS)
      const since = performance.now()
      await sendAll(DELIVERIES)
      console.log(`${engine}, ${RECEIVERS} receivers and ${WORKERS} workers: ${await settle(DELIVERIES, since)}`)
    })

    it('without workers', { timeout: TIMEOUT_MS }, async () => {
      await open(engine, { idempotency: {} })
      const since = performance.now()
      await sendAll(AT_ONCE)
      console.log(`${engine}, ${RECEIVERS} receivers at once: ${await settle(AT_ONCE, since)}`)
    })
  })

  it('handle the events of a resource in the order of their acknowledgement, never two at once', {
    timeout: TIMEOUT_MS,
  }, async () => {
    await open(engine, { inbox: {}, receiver: { ordering: 'resource' }, handlerMs: 2 }, WORKERS)
    const since = performance.now()
    await sendAll(ORDERED, (number) => ({ id: `customer${number % RESOURCES}` }))
    const summary = await settle(ORDERED, since)
    const { pairs, beside, overtaken } = measureDisorder()
    console.log(
      `${engine}, ${RESOURCES} resources in order: ${summary}; of ${pairs} pairs with a known order ${overtaken} overtaken, ${beside} beside each other`,
    )
    expect(pairs).toBeGreaterThan(ORDERED)
    expect(overtaken).toBe(0)
    expect(beside).toBe(0)
  })
})
