import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { noPostgres } from '../servers/postgres.ts'
import { noRedis } from '../servers/redis.ts'
import { createEffects } from './effects.ts'
import { sendRest, sendSteadily } from './load.ts'
import { openLoadBalancer } from './load-balancer.ts'
import { createShopName, ENGINES, type Places, startPlaces } from './places.ts'
import { openSender } from './sender.ts'
import type { Settings } from './shop/settings.ts'
import { FORMER_PROGRAM, killAll, type ShopProcess, startShop } from './shop-process.ts'

const PROCESSES = 2
const EVERY_MS = 10
/** How long both versions work beside each other, before one of the old processes goes. */
const OVERLAP_MS = 400
const FAULTS = { duplicate: 0.3, reorder: 0.2 }
/** Forth, back because something was wrong, and forth again. */
const DEPLOYS = ['now', '0.1', 'now'] as const
/** What may be repeated after a process was killed: what it was handling. */
const CONCURRENCY = 10

const WAYS: Readonly<Record<string, Partial<Settings>>> = {
  'an inbox': { inbox: { leaseMs: 1000 }, worker: { backoffMs: 100 } },
  'a store': { idempotency: { leaseMs: 1000 } },
}

let places: Places
beforeAll(async () => {
  places = await startPlaces()
})
afterAll(async () => {
  await killAll()
  await places?.close()
})

const cases = ENGINES.flatMap((engine) => Object.keys(WAYS).map((way) => [engine, way] as const))

describe.skipIf(noRedis || noPostgres)('a rolling upgrade from 0.1, and back', { timeout: 120_000 }, () => {
  it.each(cases)('loses no event and repeats none but those of a killed process: %s, %s', async (engine, way) => {
    const effects = createEffects()
    let running: ShopProcess[] = []
    const balancer = await openLoadBalancer(() => running.flatMap(({ port }) => port ?? []))
    const sender = await openSender(balancer.port, { faults: FAULTS })
    onTestFinished(async () => {
      await Promise.all(running.map((shop) => shop.terminate()))
      await sender.close()
      await balancer.close()
      effects.remove()
    })
    sender.keepCircuitsClosed()
    const settings: Settings = {
      secrets: sender.secrets,
      engine,
      place: places.of(engine, effects),
      name: createShopName(),
      effects: effects.file,
      port: 0,
      handlerMs: 5,
      ...WAYS[way],
    }
    const pids = { '0.1': new Set<number>(), now: new Set<number>() }
    const start = async (version: keyof typeof pids) => {
      const shop = await startShop(settings, version === '0.1' ? FORMER_PROGRAM : undefined)
      pids[version].add(shop.pid)
      running.push(shop)
    }

    for (let started = 0; started < PROCESSES; started++) await start('0.1')
    const load = sendSteadily(sender, EVERY_MS)
    for (const version of DEPLOYS) {
      for (const [at, replaced] of [...running].entries()) {
        await start(version)
        await sleep(OVERLAP_MS)
        running = running.filter((shop) => shop !== replaced)
        await (at === 0 ? replaced.kill() : replaced.terminate())
      }
    }
    const count = await load.stop()
    await sendRest(sender, count)
    await vi.waitFor(() => expect(effects.counts().size).toBe(count), { timeout: 60_000, interval: 100 })

    const repeated = [...effects.counts().values()].filter((times) => times > 1).length
    const handledBy = (version: keyof typeof pids) =>
      effects.lines().filter(({ what, pid }) => what === 'effect' && pids[version].has(pid)).length
    console.log(
      `${engine}, ${way}: ${count} events, ${DEPLOYS.length} deploys, 0 lost; ${handledBy('0.1')} handled by 0.1, ${handledBy('now')} by this version; ${repeated} repeated after a kill`,
    )
    expect(Math.min(handledBy('0.1'), handledBy('now'))).toBeGreaterThan(count / 10)
    expect(repeated).toBeLessThanOrEqual(DEPLOYS.length * CONCURRENCY)
  })
})
