import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Inbox } from 'hooklayer'
import type { StoredDelivery } from 'hooklayer/drivers'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { noPostgres } from '../servers/postgres.ts'
import { noRedis } from '../servers/redis.ts'
import { createEffects } from './effects.ts'
import { createShopName, ENGINES, type Places, startPlaces } from './places.ts'
import type { Settings } from './shop/settings.ts'
import { killAll, type ShopProcess, startShop } from './shop-process.ts'

const DELIVERIES = Number(process.env.FAULT_DELIVERIES ?? 2000)
const IN_FLIGHT = 16
const PAUSE_MS = 20
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

/** Opens the inbox in this process too, in place of receivers. */
function openInbox(engine: Settings['engine'], place: string, name: string): Inbox {
  return engine === 'sqlite'
    ? createSqliteInbox({ file: join(place, 'deliveries.db') })
    : createBullmqInbox({ [engine]: place, name, putTimeoutMs: 60_000 })
}

function toStored(number: number): StoredDelivery {
  const topic = number % 4 === 0 ? 'orders.place' : 'customers.create'
  const type = topic.split('.')[0]
  const document = { data: { type, id: `resource${number}`, attributes: { metadata: { number } } } }
  return {
    id: `delivery-${number}`,
    topic,
    body: Buffer.from(JSON.stringify(document)),
    receivedAt: new Date(),
    group: undefined,
  }
}

async function putAll(inbox: Inbox, numbers: readonly number[]): Promise<void> {
  for (let at = 0; at < numbers.length; at += IN_FLIGHT) {
    const put = numbers.slice(at, at + IN_FLIGHT).map((number) => inbox.put(toStored(number)))
    expect(new Set(await Promise.all(put))).toEqual(new Set(['stored']))
    await sleep(PAUSE_MS)
  }
}

describe.skipIf(noRedis || noPostgres)('a rolling deploy that adds a handler', { timeout: 120_000 }, () => {
  it.each(ENGINES)('loses no delivery, and none is handled by a worker without the handler: %s', async (engine) => {
    const effects = createEffects()
    const [place, name] = [places.of(engine, effects), createShopName()]
    const inbox = openInbox(engine, place, name)
    const fleet = createFleet({
      secrets: { 'orders.place': 'a secret of tests', 'customers.create': 'another secret of tests' },
      engine,
      place,
      name,
      effects: effects.file,
      inbox: { leaseMs: 1000 },
      handlerMs: 2,
    })
    onTestFinished(async () => {
      await fleet.stop()
      await inbox.close()
      effects.remove()
    })
    await Promise.all(Array.from({ length: WORKERS }, () => fleet.start('yesterday')))
    const numbers = Array.from({ length: DELIVERIES }, (_, number) => number)
    const share = Math.ceil(DELIVERIES / DEPLOYS.length)
    for (const [at, version] of DEPLOYS.entries()) {
      const put = putAll(inbox, numbers.slice(at * share, (at + 1) * share))
      await fleet.deploy(version)
      await put
    }
    const since = performance.now()
    await vi.waitFor(() => expect(effects.counts().size).toBe(DELIVERIES), { timeout: 60_000, interval: 100 })

    const wrong = effects.lines().filter(({ topic, pid }) => topic === 'orders.place' && fleet.old.has(pid))
    const repeated = [...effects.counts().values()].filter((times) => times > 1).length
    console.log(
      `${engine}: ${DELIVERIES} deliveries, ${DEPLOYS.length} deploys, 0 lost, ${wrong.length} handled without the handler, ${repeated} repeated after a kill; the rest was done within ${Math.round(performance.now() - since)} ms`,
    )
    expect(wrong).toEqual([])
    // A worker handles ten at once, and one is killed in each deploy.
    expect(repeated).toBeLessThanOrEqual(DEPLOYS.length * 10)
    await vi.waitFor(async () => {
      expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, failed: 0, unhandled: 0, dead: 0 })
    }, 20_000)
  })
})
