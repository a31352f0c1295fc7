import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Crashable, createCrashablePostgres, createCrashableRedis } from '../servers/crashable.ts'
import { noPostgresProgram } from '../servers/postgres.ts'
import { noRedisProgram } from '../servers/redis.ts'
import { type Cable, createCable } from './cable.ts'
import { createEffects, type Effects } from './effects.ts'
import { isAcknowledged, sendRest, sendSteadily } from './load.ts'
import { steadyPort } from './ports.ts'
import { openSender, type Sender } from './sender.ts'
import type { Settings } from './shop/settings.ts'
import { killAll, type ShopProcess, startShop } from './shop-process.ts'

const ENGINES = [
  ['redis', noRedisProgram, createCrashableRedis],
  ['postgres', noPostgresProgram, createCrashablePostgres],
] as const

/** An outage is longer than a lease, and handlers are at work when it begins. */
const LEASE_MS = 2000
const WORK = { handlerMs: 100 } as const
const MODES = [
  ['handles at once', { ...WORK, idempotency: { leaseMs: LEASE_MS } }],
  ['has an inbox', { ...WORK, inbox: { leaseMs: LEASE_MS }, worker: { backoffMs: 100 } }],
] as const

interface Outage {
  readonly ms: number
  readonly begin: (server: Crashable, cable: Cable) => unknown
  readonly end: (server: Crashable, cable: Cable) => unknown
}

const OUTAGES: readonly (readonly [string, Outage])[] = [
  ['is killed', { ms: 3000, begin: (server) => server.kill(), end: (server) => server.start() }],
  ['is terminated', { ms: 3000, begin: (server) => server.terminate(), end: (server) => server.start() }],
  ['stands still', { ms: 4000, begin: (server) => server.pause(), end: (server) => server.resume() }],
  ['is cut off', { ms: 4000, begin: (_, cable) => cable.cut(), end: (_, cable) => cable.mend() }],
]

const EVERY_MS = 25
const BACK_MS = 5000
/** What the sender grants; the receiver's own deadline is a second shorter. */
const PATIENCE_MS = 5000

let effects: Effects
let sender: Sender
let shop: ShopProcess

async function open(settings: Pick<Settings, 'engine' | 'place'> & Partial<Settings>): Promise<void> {
  const port = await steadyPort()
  effects = createEffects()
  sender = await openSender(port)
  sender.keepCircuitsClosed()
  shop = await startShop({ secrets: sender.secrets, effects: effects.file, port, ...settings })
}

function effectTimes(): number[] {
  return effects.lines().flatMap(({ what, time }) => (what === 'effect' ? [time] : []))
}

/** Milliseconds from then until it happened for the first time. */
function firstSince(then: number, times: readonly number[]): number {
  return Math.min(...times.filter((time) => time > then)) - then
}

afterEach(async () => {
  await killAll()
  await sender?.close()
  effects?.remove()
})

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

  describe.skipIf(missing).each(OUTAGES)('%s,', (outage, { ms, begin, end }) => {
    it.each(MODES)('a shop that %s refuses, and goes on where it was', async (mode, settings) => {
      await open({ engine, place: cable.url, name: `${outage} ${mode}`.replaceAll(' ', '_'), ...settings })
      const load = sendSteadily(sender, EVERY_MS)
      await vi.waitFor(() => expect(effects.counts().size).toBeGreaterThan(20), { timeout: 10_000 })
      await begin(server, cable)
      const began = Date.now()
      await sleep(ms)
      const ending = Date.now()
      await end(server, cable)
      const ended = Date.now()
      const back = () => ({
        answers: firstSince(
          ended,
          sender
            .calls()
            .filter(isAcknowledged)
            .map((call) => call.ended),
        ),
        effects: firstSince(ended, effectTimes()),
      })
      await vi.waitFor(() => expect(Object.values(back())).not.toContain(Number.POSITIVE_INFINITY), {
        timeout: 2 * BACK_MS,
        interval: 200,
      })
      const count = await load.stop()
      await sendRest(sender, count)
      await vi.waitFor(() => expect(effects.counts().size).toBe(count), { timeout: 20_000, interval: 200 })

      const calls = sender.calls()
      const meanwhile = calls.filter((call) => call.began > began && call.ended < ending)
      const slowest = Math.max(...calls.map((call) => call.ended - call.began))
      const repeated = [...effects.counts()].filter(([, times]) => times !== 1)
      console.log(
        `${engine} ${outage} for ${ms} ms, the shop ${mode}: ${count} events, ${meanwhile.length} calls during the outage, all refused; the slowest answer after ${slowest} ms; back after ${back().answers} ms, effects after ${back().effects} ms; 0 lost, ${repeated.length} twice`,
      )
      expect(new Set(meanwhile.map(({ status }) => status))).toEqual(new Set([503]))
      expect(calls.filter(({ status }) => status === undefined)).toEqual([])
      expect(slowest).toBeLessThan(PATIENCE_MS)
      expect(back().answers).toBeLessThan(BACK_MS)
      expect(back().effects).toBeLessThan(BACK_MS)
      expect(repeated).toEqual([])
      expect(shop.hasEnded()).toBe(false)
    })
  })
})
