import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { noPostgres } from '../servers/postgres.ts'
import { noRedis } from '../servers/redis.ts'
import { keepBusy } from './busy-connections.ts'
import { createEffects } from './effects.ts'
import { isAcknowledged, sendRest, sendSteadily } from './load.ts'
import { createShopName, ENGINES, type Places, startPlaces } from './places.ts'
import { findSteadyPort } from './ports.ts'
import { findRepetitions } from './repetitions.ts'
import { openSender, type Sender, type SentOrder } from './sender.ts'
import type { Line, Settings } from './shop/settings.ts'
import { killAll, type ShopProcess, startShop } from './shop-process.ts'

/** How often each shop is shut down under load. */
const TIMES = 3
const EVERY_MS = 3
const small = (): SentOrder => ({ topic: 'customers.create' })
/** The least time between two shutdowns, for the next process to start. */
const UNDISTURBED_MS = 400
/** The longest time for a shutdown on a slow machine. */
const SLOWEST_MS = 10_000
const QUICK_MS = 5000

const MODES = {
  inline: { idempotency: { leaseMs: 5000 } },
  inbox: { inbox: { leaseMs: 5000 }, worker: { backoffMs: 100 } },
} as const satisfies Record<string, Partial<Settings>>

const CASES = (['inline', 'inbox'] as const).flatMap((mode) => ENGINES.map((engine) => ({ mode, engine })))

let places: Places
beforeAll(async () => {
  places = await startPlaces()
})
afterAll(async () => {
  await killAll()
  await places?.close()
})

describe.skipIf(noRedis || noPostgres)('SIGTERM under load', { timeout: 120_000 }, () => {
  it.for(CASES)('ends a process in time, and the next one handles the rest: $mode, $engine', async (shop, test) => {
    const scene = await openScene(shop, test.onTestFinished)
    let current = await scene.takeOver({})
    const [load, since] = [sendSteadily(scene.sender, EVERY_MS, small), performance.now()]
    const ends: Awaited<ReturnType<ShopProcess['terminate']>>[] = []
    for (let time = 0; time < TIMES; time++) {
      await sleep(UNDISTURBED_MS)
      const ending = current.terminate()
      current = await scene.takeOver({})
      ends.push(await ending)
    }
    const sent = await load.stop()
    const perSecond = Math.round((1000 * sent) / (performance.now() - since))
    await scene.isDone(sent)
    ends.push(await current.terminate())

    const slowest = Math.round(Math.max(...ends.map(({ ms }) => ms)))
    const { forbidden } = findRepetitions(scene.lines(), new Map())
    console.log(
      `${shop.mode}, ${shop.engine}: ${sent} events, ${perSecond} a second, ${ends.length} shutdowns, the slowest in ${slowest} ms; 0 lost, ${forbidden.length} twice; answers: ${scene.answers()}`,
    )
    expect(ends.map(({ code }) => code)).toEqual(ends.map(() => 0))
    expect(forbidden).toEqual([])
    expect(scene.refusals().filter((status) => status !== 503)).toEqual([])
    expect(slowest).toBeLessThan(QUICK_MS)
  })
})

describe('SIGTERM while connections are busy', { timeout: 60_000 }, () => {
  it.for(['inline', 'inbox'] as const)('ends a process in time: %s', async (mode, test) => {
    const scene = await openScene({ mode, engine: 'sqlite' }, test.onTestFinished)
    const shop = await scene.takeOver({ handlerMs: 20 })
    const busy = keepBusy(Number(shop.port), scene.sender.secrets)
    test.onTestFinished(busy.stop)
    await sleep(UNDISTURBED_MS)
    const { code, ms } = await shop.terminate(SLOWEST_MS)
    console.log(
      `${mode}, busy connections: ended with ${code} in ${Math.round(ms)} ms; answers before and after: ${formatCounts(busy.statuses)}`,
    )
    expect(code).toBe(0)
    expect(ms).toBeLessThan(QUICK_MS)
  })
})

describe.skipIf(noRedis || noPostgres)('SIGTERM while handlers are slow', { timeout: 120_000 }, () => {
  // At once, because they mostly wait.
  vi.setConfig({ maxConcurrency: 6 })

  it.concurrent.for(CASES)('ends a process in time, and the next one handles: $mode, $engine', async (shop, test) => {
    const scene = await openScene(shop, test.onTestFinished)
    const slow = await scene.takeOver({ handlerMs: 60_000 })
    const numbers = Array.from({ length: 20 }, (_, number) => number)
    const sending = Promise.all(numbers.map((number) => scene.sender.send(number, small())))
    const underWay = () => scene.lines().filter(({ what }) => what === 'begin').length
    await vi.waitFor(() => expect(underWay()).toBeGreaterThanOrEqual(shop.mode === 'inline' ? 20 : 10), {
      timeout: 20_000,
      interval: 20,
    })
    const ending = slow.terminate()
    const next = await scene.takeOver({})
    const { code, ms } = await ending
    await sending
    await scene.isDone(numbers.length)
    expect((await next.terminate()).code).toBe(0)

    const lines = scene.lines()
    const whats = new Set(lines.flatMap(({ pid, what }) => (pid === slow.pid ? what : [])))
    const { forbidden } = findRepetitions(lines, new Map())
    console.log(
      `${shop.mode}, ${shop.engine}, slow: ended with ${code} in ${Math.round(ms)} ms; 0 of ${numbers.length} lost, ${forbidden.length} twice`,
    )
    expect(code).toBe(0)
    expect(ms).toBeLessThan(SLOWEST_MS)
    expect(whats).toEqual(new Set(['begin', 'aborted']))
    expect(forbidden).toEqual([])
  })
})

function formatCounts(statuses: readonly (number | undefined)[]): string {
  const counts = new Map<number | undefined, number>()
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1)
  return [...counts].map(([status, count]) => `${count} ${status ?? 'refused'}`).join(', ')
}

interface Scene {
  readonly sender: Sender
  /** Starts a process on the same port, as soon as the previous one has closed it. */
  takeOver(more: Partial<Settings>): Promise<ShopProcess>
  /** Resolves when this many events were answered 2xx and took effect. */
  isDone(count: number): Promise<void>
  lines(): Line[]
  /** The statuses of the calls that were not acknowledged. */
  refusals(): number[]
  answers(): string
}

async function openScene(
  { mode, engine }: (typeof CASES)[number],
  onTestFinished: (end: () => Promise<void>) => void,
): Promise<Scene> {
  const effects = createEffects()
  const port = await findSteadyPort()
  const sender = await openSender(port)
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
  return {
    sender,
    async takeOver(more) {
      for (;;) {
        const shop = await startShop({ ...all, ...MODES[mode], ...more })
        if (shop.port !== undefined) return shop
        if (!shop.output().includes('EADDRINUSE'))
          throw new Error(`A process has not started. Its output:\n${shop.output()}`)
      }
    },
    async isDone(count) {
      await sendRest(sender, count, small)
      await vi.waitFor(() => expect(effects.counts().size).toBe(count), { timeout: 60_000, interval: 50 })
    },
    lines: effects.lines,
    refusals: () => sender.calls().flatMap((call) => (isAcknowledged(call) ? [] : (call.status ?? []))),
    answers: () => formatCounts(sender.calls().map(({ status }) => status)),
  }
}
