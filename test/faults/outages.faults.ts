import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Crashable, createCrashablePostgres, createCrashableRedis } from '../servers/crashable.ts'
import { noPostgresProgram } from '../servers/postgres.ts'
import { noRedisProgram } from '../servers/redis.ts'
import { type Cable, createCable } from './cable.ts'
import { createEffects, type Effects } from './effects.ts'
import { isAcknowledged, type Load, sendRest, sendSteadily } from './load.ts'
import { createShopName } from './places.ts'
import { findSteadyPort } from './ports.ts'
import { openSender, type Sender } from './sender.ts'
import type { Settings } from './shop/settings.ts'
import { killAll, type ShopProcess, startShop } from './shop-process.ts'

const ENGINES = [
  ['redis', noRedisProgram, createCrashableRedis],
  ['postgres', noPostgresProgram, createCrashablePostgres],
] as const

/** Shorter than any outage. */
const LEASE_MS = 2000
const MODES = {
  'has a store': { idempotency: { leaseMs: LEASE_MS } },
  'has an inbox': { inbox: { leaseMs: LEASE_MS }, worker: { backoffMs: 100 } },
} as const satisfies Record<string, Partial<Settings>>

interface Outage {
  readonly ms: number
  readonly begin: (server: Crashable, cable: Cable) => unknown
  readonly end: (server: Crashable, cable: Cable) => unknown
}

const OUTAGES: readonly (readonly [string, Outage])[] = [
  ['is killed', { ms: 3000, begin: (server) => server.kill(), end: (server) => server.start() }],
  ['is terminated', { ms: 3000, begin: (server) => server.terminate(), end: (server) => server.start() }],
  ['is frozen', { ms: 4000, begin: (server) => server.pause(), end: (server) => server.resume() }],
  ['is cut off', { ms: 4000, begin: (_, cable) => cable.cut(), end: (_, cable) => cable.repair() }],
]

/** The outage, in milliseconds since 1970. `ending` is before the call of `end`, `ended` after it. */
interface Window {
  readonly began: number
  readonly ending: number
  readonly ended: number
}

interface Scene {
  readonly mode: string
  readonly effects: Effects
  readonly sender: Sender
  readonly shop: ShopProcess
  readonly load: Load
}

const EVERY_MS = 50
/** Long enough that some handlers run when the outage begins. */
const HANDLER_MS = 300
const BACK_MS = 5000
/** How long the sender waits. The receiver's own deadline is a second shorter. */
const SENDER_TIMEOUT_MS = 5000

/** Opens a shop and sends it events. */
async function open(mode: string, settings: Pick<Settings, 'engine' | 'place'> & Partial<Settings>): Promise<Scene> {
  const port = await findSteadyPort()
  const effects = createEffects()
  const sender = await openSender(port)
  onTestFinished(async () => {
    await killAll()
    await sender.close()
    effects.remove()
  })
  sender.keepCircuitsClosed()
  const shop = await startShop({
    secrets: sender.secrets,
    effects: effects.file,
    port,
    name: createShopName(),
    handlerMs: HANDLER_MS,
    ...settings,
  })
  const load = sendSteadily(sender, EVERY_MS)
  await vi.waitFor(() => expect(effects.counts().size).toBeGreaterThan(20), { timeout: 20_000 })
  return { mode, effects, sender, shop, load }
}

/** Milliseconds from the end of the outage to the first acknowledgement and to the first effect. */
function back({ sender, effects }: Scene, { ended }: Window): { readonly answers: number; readonly effects: number } {
  const since = (times: readonly number[]) => Math.min(...times.filter((time) => time > ended)) - ended
  return {
    answers: since(sender.calls().flatMap((call) => (isAcknowledged(call) ? [call.ended] : []))),
    effects: since(effects.lines().flatMap(({ what, time }) => (what === 'effect' ? [time] : []))),
  }
}

async function recover(scene: Scene, window: Window): Promise<void> {
  const { sender, effects, load } = scene
  const isBack = () => expect(Object.values(back(scene, window))).not.toContain(Number.POSITIVE_INFINITY)
  await vi.waitFor(isBack, { timeout: 2 * BACK_MS, interval: 200 })
  const count = await load.stop()
  await sendRest(sender, count)
  await vi.waitFor(() => expect(effects.counts().size).toBe(count), { timeout: 30_000, interval: 200 })
}

function check(what: string, scene: Scene, window: Window): void {
  const { mode, sender, effects, shop } = scene
  const calls = sender.calls()
  const meanwhile = calls.filter((call) => call.began > window.began && call.ended < window.ending)
  const slowest = Math.max(...calls.map((call) => call.ended - call.began))
  const counts = effects.counts()
  const repeated = [...counts].filter(([, times]) => times !== 1)
  const first = back(scene, window)
  console.log(
    `${what}, the shop ${mode}: ${counts.size} events; ${meanwhile.length} calls meanwhile, all answered 503; the slowest answer after ${slowest} ms; afterwards the first 2xx after ${first.answers} ms and the first effect after ${first.effects} ms; 0 lost, ${repeated.length} twice`,
  )
  expect(new Set(meanwhile.map(({ status }) => status))).toEqual(new Set([503]))
  expect(calls.filter(({ status }) => status === undefined)).toEqual([])
  expect(slowest).toBeLessThan(SENDER_TIMEOUT_MS)
  expect(first.answers).toBeLessThan(BACK_MS)
  expect(first.effects).toBeLessThan(BACK_MS)
  expect(repeated).toEqual([])
  expect(shop.hasEnded()).toBe(false)
}

describe.each(ENGINES)('when %s', (engine, missing, create) => {
  let server: Crashable
  let cable: Cable
  beforeAll(async () => {
    if (missing) return
    server = await create()
    await server.start()
    cable = await createCable(server.url)
  })
  afterAll(async () => {
    await cable?.close()
    await server?.remove()
  })

  it.skipIf(missing).each(OUTAGES)('%s, shops refuse, and recover', async (outage, { ms, begin, end }) => {
    const scenes = await Promise.all(
      Object.entries(MODES).map(([mode, settings]) => open(mode, { engine, place: cable.url, ...settings })),
    )
    await begin(server, cable)
    const began = Date.now()
    await sleep(ms)
    const ending = Date.now()
    await end(server, cable)
    const window = { began, ending, ended: Date.now() }
    await Promise.all(scenes.map((scene) => recover(scene, window)))
    for (const scene of scenes) check(`${engine} ${outage} for ${ms} ms`, scene, window)
  })
})
