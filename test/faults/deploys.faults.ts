import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { noPostgres } from '../servers/postgres.ts'
import { noRedis } from '../servers/redis.ts'
import { createEffects, type Effects } from './effects.ts'
import { describeOrder } from './killed-shop.ts'
import { sendRest } from './load.ts'
import { createShopName, ENGINES, type Places, startPlaces } from './places.ts'
import { findSteadyPort } from './ports.ts'
import { openSender } from './sender.ts'
import type { Settings } from './shop/settings.ts'
import { killAll, type ShopProcess, startShop } from './shop-process.ts'

const DELIVERIES = Number(process.env.FAULT_DELIVERIES ?? 2000)
const IN_FLIGHT = 16
const WORKERS = 2
/** What the workers of yesterday handle, and those of today. */
const VERSIONS = { yesterday: ['customers.create'], today: ['customers.create', 'orders.place'] } as const
/** Forth, back because something was wrong, and forth again. */
const DEPLOYS = ['today', 'yesterday', 'today'] as const

let places: Places
beforeAll(async () => {
  places = await startPlaces()
})
afterAll(async () => {
  await killAll()
  await places?.close()
})

/** The workers of a shop, which are replaced one after another. */
interface Fleet {
  /** The processes that have no handler for `orders.place`. */
  readonly old: ReadonlySet<number>
  start(version: keyof typeof VERSIONS): Promise<void>
  /** Starts new workers beside the old ones. The first old one is killed, and the others stop. */
  deploy(version: keyof typeof VERSIONS): Promise<void>
  stop(): Promise<unknown>
}

function createFleet(settings: Settings): Fleet {
  const old = new Set<number>()
  let running: ShopProcess[] = []

  async function start(version: keyof typeof VERSIONS): Promise<void> {
    const shop = await startShop({ ...settings, topics: VERSIONS[version], worker: { backoffMs: 100 } })
    if (version === 'yesterday') old.add(shop.pid)
    running.push(shop)
  }

  return {
    old,
    start,
    async deploy(version) {
      const replaced = running
      running = []
      for (const [at, shop] of replaced.entries()) {
        await start(version)
        await (at === 0 ? shop.kill() : shop.terminate())
      }
    },
    stop: () => Promise.all(running.map((shop) => shop.terminate())),
  }
}

async function openShop(engine: Settings['engine'], effects: Effects) {
  const port = await findSteadyPort()
  const sender = await openSender(port)
  const settings: Settings = {
    secrets: sender.secrets,
    engine,
    place: places.of(engine, effects),
    name: createShopName(),
    effects: effects.file,
    inbox: { leaseMs: 1000 },
    handlerMs: 2,
  }
  const receiver = await startShop({ ...settings, port, topics: [] })
  return { sender, receiver, fleet: createFleet(settings) }
}

vi.setConfig({ maxConcurrency: 2 })

describe.skipIf(noRedis || noPostgres)('a rolling deploy that adds a handler', { timeout: 120_000 }, () => {
  it.concurrent.for(ENGINES)(
    'loses no delivery, and none is handled by a worker without the handler: %s',
    async (engine, test) => {
      const effects = createEffects()
      const { sender, receiver, fleet } = await openShop(engine, effects)
      test.onTestFinished(async () => {
        await fleet.stop()
        await receiver.terminate()
        await sender.close()
        effects.remove()
      })
      for (let count = 0; count < WORKERS; count++) await fleet.start('yesterday')
      let next = 0
      const sendUpTo = async (end: number) => {
        while (next < end) {
          const number = next++
          await sender.send(number, describeOrder(number))
        }
      }
      const sending = (end: number) => Promise.all(Array.from({ length: IN_FLIGHT }, () => sendUpTo(end)))
      await sending(IN_FLIGHT)
      for (const [at, version] of DEPLOYS.entries()) {
        const sent = sending((DELIVERIES * (at + 1)) / DEPLOYS.length)
        await fleet.deploy(version)
        await sent
      }
      await sendRest(sender, next, describeOrder)
      const since = performance.now()
      await vi.waitFor(() => expect(effects.counts().size).toBe(next), { timeout: 60_000, interval: 100 })

      const lines = effects.lines()
      const wrong = lines.filter(({ topic, pid }) => topic === 'orders.place' && fleet.old.has(pid))
      const repeated = [...effects.counts().values()].filter((times) => times > 1).length
      console.log(
        `${engine}: ${next} deliveries, ${DEPLOYS.length} deploys, 0 lost, ${wrong.length} handled without the handler, ${repeated} repeated after a kill; the rest was done within ${Math.round(performance.now() - since)} ms`,
      )
      expect(wrong).toEqual([])
      expect(repeated).toBeLessThanOrEqual(DEPLOYS.length * 10)
    },
  )
})
