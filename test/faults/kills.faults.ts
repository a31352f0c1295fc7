import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createRandom } from '../../src/emulator/sender/random.ts'
import { noPostgres } from '../servers/postgres.ts'
import { noRedis } from '../servers/redis.ts'
import { describeOrder, type KilledShop, openKilledShop, type Plan } from './killed-shop.ts'
import { type Kills, runRounds } from './killing.ts'
import { sendRest } from './load.ts'
import { type Places, startPlaces } from './places.ts'
import { findRepetitions } from './repetitions.ts'
import { DEFERRED_STAGES, INLINE_STAGES, TRANSACTION_STAGES } from './shop/settings.ts'
import { killAll, startShop } from './shop-process.ts'

const SEED = Number(process.env.FAULT_SEED ?? Date.now() % 1_000_000)
/** The number of kills, over all shops. */
const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 500)
const LEASE_MS = 500
const BACKOFF_MS = 100
/** A delivery that was killed with its worker more than once waits longer each time. */
const MAX_BACKOFF_MS = 1000
/** The extra time for a slow machine. */
const SLOWNESS_MS = 5000

const idempotency = { leaseMs: LEASE_MS }
const inbox = { leaseMs: LEASE_MS }
const worker = { attempts: 1000, backoffMs: BACKOFF_MS, maxBackoffMs: MAX_BACKOFF_MS }

const inline: Plan['roles'] = [{ does: { port: 0, idempotency }, stages: INLINE_STAGES }]
const inTransactions: Plan['roles'] = [
  { does: { port: 0, idempotency }, stages: [...INLINE_STAGES, ...TRANSACTION_STAGES, ...TRANSACTION_STAGES] },
]
const deferred: Plan['roles'] = [{ does: { port: 0, inbox, worker }, stages: DEFERRED_STAGES }]
const apart: Plan['roles'] = [
  { does: { port: 0, inbox }, stages: ['before-put', 'after-put'] },
  { does: { inbox, worker }, stages: ['before-work', 'in-handler', 'after-effect', 'after-work'] },
]
/** A worker with a store: a delivery that comes back finds its event reserved by the killed process. */
const twofold: Plan['roles'] = [
  { does: { port: 0, inbox, worker, idempotency }, stages: [...DEFERRED_STAGES, ...INLINE_STAGES] },
]

const PLANS: readonly Plan[] = [
  { name: 'inline, SQLite', engine: 'sqlite', fence: 'file', roles: inline },
  { name: 'inbox in SQLite', engine: 'sqlite', fence: 'file', roles: deferred },
  { name: 'inline, Redis', engine: 'redis', fence: 'file', roles: inline },
  { name: 'inbox in Redis', engine: 'redis', fence: 'file', roles: deferred },
  { name: 'inline, PostgreSQL', engine: 'postgres', fence: 'transaction', roles: inTransactions },
  { name: 'inbox in PostgreSQL', engine: 'postgres', fence: 'file', roles: deferred },
  { name: 'inbox in SQLite, with a worker apart', engine: 'sqlite', fence: 'file', roles: apart },
  { name: 'inbox in Redis, with a worker apart', engine: 'redis', fence: 'file', roles: apart },
  { name: 'inbox and store in SQLite', engine: 'sqlite', fence: 'file', roles: twofold },
  { name: 'inbox and store in Redis', engine: 'redis', fence: 'file', roles: twofold },
]

let places: Places
beforeAll(async () => {
  places = await startPlaces()
})
afterAll(async () => {
  await killAll()
  await places?.close()
})

// Two shops at a time, because a round mostly waits and there may be only two processors.
vi.setConfig({ maxConcurrency: 2 })

const timeout = 120_000 + 1000 * ROUNDS
const cases = PLANS.map((plan, at) => [plan.name, plan, SEED + at] as const)

describe.skipIf(noRedis || noPostgres)(`a shop that is killed (FAULT_SEED=${SEED})`, { timeout }, () => {
  it.concurrent.for(cases)(
    'loses nothing and repeats nothing that it has recorded: %s',
    async ([, plan, seed], test) => {
      const shop = await openKilledShop(plan, places)
      test.onTestFinished(shop.close)
      const kills = await kill(shop, createRandom(seed))
      const restMs = await finish(shop)

      const numbers = await shop.destination.numbers()
      const { allowed, forbidden } = findRepetitions(shop.effects.lines(), kills.when, shop.recordedAt())
      const known = new Set(numbers).size
      console.log(
        `${plan.name}: ${kills.when.size} kills (${kills.atStage} at a stage, ${kills.atRandom} at random), ${shop.sent.size} events; ${shop.sent.size - known} lost, ${allowed} repeated whose record was cut off, ${forbidden.length} others, ${numbers.length - known} twice with fenced effects; the rest was done within ${restMs} ms (FAULT_SEED=${SEED})`,
      )
      expect(forbidden).toEqual([])
      expect(numbers).toEqual([...shop.sent])
      expect(restMs).toBeLessThan(2 * LEASE_MS + MAX_BACKOFF_MS + SLOWNESS_MS)
    },
  )
})

function kill({ roles, sendSome, effects, sent }: KilledShop, draw: () => number): Promise<Kills> {
  return runRounds(roles, {
    count: Math.ceil(ROUNDS / PLANS.length),
    draw,
    send: () => sendSome(draw),
    isIdle: () => effects.counts().size === sent.size,
  })
}

/** Lets the processes run until all is done. Resolves with how long that took. */
async function finish({ roles, sender, sent, send, effects, rest }: KilledShop): Promise<number> {
  const shops = await Promise.all(roles.map(({ settings }) => startShop(settings)))
  const since = performance.now()
  const sending = sendRest(sender, sent.size, describeOrder)
  await vi.waitFor(async () => expect(await rest()).toEqual([]), { timeout: 60_000, interval: 20 })
  await sending
  const ms = Math.round(performance.now() - since)

  const before = effects.counts()
  const answers = await Promise.all([...sent].map(send))
  expect(new Set(answers)).toEqual(new Set([200]))
  expect(effects.counts()).toEqual(before)
  const ends = await Promise.all(shops.map((shop) => shop.terminate()))
  expect(ends.map(({ code }) => code)).toEqual(shops.map(() => 0))
  return ms
}
