import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { noPostgres } from '../servers/postgres.ts'
import { noRedis } from '../servers/redis.ts'
import { createEffects, type Effects } from './effects.ts'
import { createShopName, ENGINES, type Places, startPlaces } from './places.ts'
import { findSteadyPort } from './ports.ts'
import { type Call, openSender } from './sender.ts'
import type { Line, Settings } from './shop/settings.ts'
import { killAll, type ShopProcess, startShop } from './shop-process.ts'

const NUMBERS = [1, 2, 3, 4, 5]
const HANDLER_MS = 10_000
/** A fifth of the handler's time, so the lease must be renewed. */
const LEASE_MS = 2000
/** The default of `deadlineMs`. */
const DEADLINE_MS = 4000

let places: Places
beforeAll(async () => {
  places = await startPlaces()
})
afterAll(async () => {
  await killAll()
  await places?.close()
})

// All at once, because their handlers only sleep.
vi.setConfig({ maxConcurrency: 9 })

describe.skipIf(noRedis || noPostgres)('a handler that takes ten seconds', { timeout: 60_000 }, () => {
  const inline = { idempotency: { leaseMs: LEASE_MS } }

  it.concurrent.for(ENGINES)('is aborted at the deadline, and then runs again: %s', async (engine, test) => {
    const scene = await openScene(engine, inline, test.onTestFinished)
    const slow = await scene.start({ handlerMs: HANDLER_MS })
    const sending = scene.sendAll()
    await vi.waitFor(() => expect(scene.count('aborted')).toBeGreaterThanOrEqual(2 * NUMBERS.length), WAIT_OPTIONS)
    expect((await slow.terminate()).code).toBe(0)
    await scene.start({})
    await scene.settled(sending)

    for (const number of NUMBERS) {
      const [calls, whats] = [scene.findCalls(number), scene.findLines(number).map(({ what }) => what)]
      expect(whats.slice(-2)).toEqual(['begin', 'effect'])
      expect(whats.slice(0, -2)).toEqual(whats.slice(0, -2).map((_, at) => (at % 2 === 0 ? 'begin' : 'aborted')))
      expect(calls[0]?.status).toBe(503)
      expect(tookMs(calls[0])).toBeGreaterThan(DEADLINE_MS - 100)
      expect(calls.at(-1)?.status).toBe(200)
    }
    console.log(`${engine}, inline, obeys its signal: ${scene.report()}`)
  })

  it.concurrent.for(ENGINES)('does not run twice if it ignores its signal: %s', async (engine, test) => {
    const scene = await openScene(engine, inline, test.onTestFinished)
    const shop = await scene.start({ handlerMs: HANDLER_MS, ignoresSignal: true })
    await scene.settled(scene.sendAll())
    expect((await shop.terminate()).code).toBe(0)

    for (const number of NUMBERS) {
      const [calls, lines] = [scene.findCalls(number), scene.findLines(number)]
      expect(lines.map(({ what }) => what)).toEqual(['begin', 'effect'])
      const [first, ...retries] = calls.map(({ status }) => status)
      expect([first, retries.at(-1)]).toEqual([503, 200])
      expect(new Set(retries.slice(0, -1))).toEqual(new Set([409]))
      expect(tookMs(calls[0])).toBeGreaterThan(DEADLINE_MS - 100)
    }
    console.log(`${engine}, inline, ignores its signal: ${scene.report()}`)
  })

  it.concurrent.for(ENGINES)('does not delay the sender with an inbox: %s', async (engine, test) => {
    const deferred = { inbox: { leaseMs: LEASE_MS }, worker: { backoffMs: 100 } }
    const scene = await openScene(engine, deferred, test.onTestFinished)
    const shop = await scene.start({ handlerMs: HANDLER_MS })
    const sending = scene.sendAll()
    await vi.waitFor(() => expect(scene.count('begin')).toBe(NUMBERS.length), WAIT_OPTIONS)
    await scene.sendAll()
    await vi.waitFor(() => expect(scene.count('effect')).toBe(NUMBERS.length), WAIT_OPTIONS)
    await scene.sendAll()
    await scene.settled(sending)
    expect((await shop.terminate()).code).toBe(0)

    for (const number of NUMBERS) {
      expect(scene.findLines(number).map(({ what }) => what)).toEqual(['begin', 'effect'])
      expect(scene.findCalls(number).map(({ status }) => status)).toEqual([202, 200, 200])
    }
    console.log(`${engine}, inbox: ${scene.report()}`)
  })
})

const WAIT_OPTIONS = { timeout: 60_000, interval: 50 }

function tookMs(call: Call | undefined): number {
  return call ? call.ended - call.began : Number.NaN
}

interface Scene {
  start(more: Partial<Settings>): Promise<ShopProcess>
  sendAll(): Promise<unknown>
  /** Resolves when all events were answered 2xx. */
  settled(sending: Promise<unknown>): Promise<void>
  count(what: Line['what']): number
  findLines(number: number): Line[]
  findCalls(number: number): Call[]
  report(): string
}

async function openScene(
  engine: Settings['engine'],
  mode: Partial<Settings>,
  onTestFinished: (end: () => Promise<void>) => void,
): Promise<Scene> {
  const effects: Effects = createEffects()
  const port = await findSteadyPort()
  const sender = await openSender(port, { retryDelayMs: () => 500 })
  sender.keepCircuitsClosed()
  onTestFinished(async () => {
    await sender.close()
    effects.remove()
  })
  const { secrets } = sender
  const all = {
    secrets,
    engine,
    place: places.of(engine, effects),
    name: createShopName(),
    effects: effects.file,
    port,
  }
  const count = (wanted: Line['what']) => effects.lines().filter(({ what }) => what === wanted).length
  return {
    start: (more) => startShop({ ...all, ...mode, ...more }),
    sendAll: () => Promise.all(NUMBERS.map((number) => sender.send(number, { topic: 'customers.create' }))),
    async settled(sending) {
      await sending
      await sender.settled()
    },
    count,
    findLines: (wanted) => effects.lines().filter(({ number }) => number === wanted),
    findCalls: (wanted) => sender.calls().filter(({ number }) => number === wanted),
    report() {
      const calls = sender.calls()
      const statuses = [...new Set(calls.map(({ status }) => status))].map(
        (one) => `${calls.filter(({ status }) => status === one).length} ${one ?? 'refused'}`,
      )
      const slowest = Math.max(...calls.map(tookMs))
      return `${NUMBERS.length} events, begun ${count('begin')} times, aborted ${count('aborted')}, took effect ${count('effect')}; answers: ${statuses.join(', ')}, the slowest after ${slowest} ms`
    },
  }
}
