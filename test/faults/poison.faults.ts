import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DeadLetter, Inbox } from 'hooklayer'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { noPostgres } from '../servers/postgres.ts'
import { noRedis } from '../servers/redis.ts'
import { createEffects, type Effects } from './effects.ts'
import { isAcknowledged } from './load.ts'
import { createShopName, ENGINES, type Places, startPlaces } from './places.ts'
import { findSteadyPort } from './ports.ts'
import { openSender, type Sender } from './sender.ts'
import type { Settings } from './shop/settings.ts'
import { killAll, startShop } from './shop-process.ts'

const DELIVERIES = Number(process.env.FAULT_DELIVERIES ?? 5000)
/** One in this many always fails. */
const ONE_IN = 100
const ATTEMPTS = 3
const IN_FLIGHT = 16
/** The load on a broken shop. All deliveries in flight at the twentieth failure fail too. */
const BROKEN = { deliveries: 200, inFlight: 8 }
const OPENS_AT = 30

let places: Places
let effects: Effects
let sender: Sender
let inbox: Inbox

/** Starts a shop, and opens its inbox in this process too. */
async function open(engine: Settings['engine'], settings: (effects: Effects) => Partial<Settings>): Promise<void> {
  const [port, name] = [await findSteadyPort(), createShopName()]
  effects = createEffects()
  sender = await openSender(port)
  const place = places.of(engine, effects)
  await startShop({ secrets: sender.secrets, engine, place, name, effects: effects.file, port, ...settings(effects) })
  inbox =
    engine === 'sqlite'
      ? createSqliteInbox({ file: join(effects.folder, 'deliveries.db') })
      : createBullmqInbox({ [engine]: place, name })
}

/** Sends events, the first one alone, because the shop connects to its engine then. */
async function sendAll(count: number, inFlight: number, isPoison: (number: number) => boolean): Promise<void> {
  let next = 0
  const send = async (end: number) => {
    while (next < end) {
      const number = next++
      await sender.send(number, { topic: 'customers.create', ...(isPoison(number) && { reference: 'poison' }) })
    }
  }
  await send(1)
  await sender.settled()
  await Promise.all(Array.from({ length: inFlight }, () => send(count)))
  await sender.settled()
}

async function listDeadLetters(): Promise<DeadLetter[]> {
  const deadLetters: DeadLetter[] = []
  for await (const deadLetter of inbox.deadLetters.list()) deadLetters.push(deadLetter)
  return deadLetters
}

/** How many others took effect between the first and the last attempt of each poisonous event, by its number. */
function countPassed(isPoison: (number: number) => boolean): Map<number, number> {
  const begun = new Map<number, number>()
  const passed = new Map<number, number>()
  let others = 0
  for (const { what, number } of effects.lines()) {
    if (what === 'effect') others += 1
    if (what !== 'begin' || !isPoison(number)) continue
    begun.set(number, begun.get(number) ?? others)
    passed.set(number, others - (begun.get(number) ?? 0))
  }
  return passed
}

/** The most calls in a row that were refused, in the order of their answers. */
function countRefusedInARow(): number {
  let [most, row] = [0, 0]
  for (const call of sender.calls().sort((one, other) => one.ended - other.ended)) {
    row = isAcknowledged(call) ? 0 : row + 1
    most = Math.max(most, row)
  }
  return most
}

beforeAll(async () => {
  places = await startPlaces()
})
afterAll(() => places?.close())
afterEach(async () => {
  await killAll()
  await inbox?.close()
  await sender?.close()
  effects?.remove()
})

describe.skipIf(noRedis || noPostgres).each(ENGINES)('with an inbox on %s,', (engine) => {
  it('a delivery that always fails becomes a dead letter, delays no other, and does not count toward the circuit breaker', {
    timeout: 300_000,
  }, async () => {
    const isPoison = (number: number) => number % ONE_IN === ONE_IN / 2
    const poison = Array.from({ length: DELIVERIES }, (_, number) => number).filter(isPoison)
    await open(engine, () => ({ inbox: {}, worker: { attempts: ATTEMPTS, backoffMs: 500 } }))
    const since = performance.now()
    await sendAll(DELIVERIES, IN_FLIGHT, isPoison)
    const healthy = DELIVERIES - poison.length
    await vi.waitFor(() => expect(effects.counts().size).toBe(healthy), { timeout: 200_000, interval: 500 })
    await vi.waitFor(async () => expect((await inbox.statistics()).dead).toBe(poison.length), { timeout: 20_000 })

    const seconds = ((performance.now() - since) / 1000).toFixed(1)
    const deadLetters = await listDeadLetters()
    const passed = [...countPassed(isPoison).values()].sort((one, other) => one - other)
    const refused = sender.calls().filter((call) => !isAcknowledged(call)).length
    console.log(
      `${engine}: ${DELIVERIES} deliveries in ${seconds} s, ${healthy} handled, ${deadLetters.length} dead after ${ATTEMPTS} attempts; ${passed[0]} to ${passed.at(-1)} others took effect between the attempts at one; ${refused} calls refused`,
    )
    expect(deadLetters.map(({ error, attempts, topic }) => [error.code, attempts, topic])).toEqual(
      poison.map(() => ['HANDLER_FAILED', ATTEMPTS, 'customers.create']),
    )
    const failed = effects.lines().filter(({ number }) => isPoison(number))
    expect(failed).toHaveLength(poison.length * ATTEMPTS)
    expect(new Set(deadLetters.map(({ id }) => id))).toEqual(new Set(failed.map(({ delivery }) => delivery)))
    expect([...effects.counts().values()].every((times) => times === 1)).toBe(true)
    expect(passed.filter((others) => others > 0).length).toBeGreaterThan(poison.length / 2)
    expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, failed: 0 })
    expect(refused).toBe(0)
    expect(sender.webhooks.map((webhook) => [webhook.circuit_state, webhook.circuit_failure_count])).toEqual(
      sender.webhooks.map(() => ['closed', 0]),
    )
  })

  it('with `on-failures` the circuit breaker stays closed when everything fails', async () => {
    const brokenWhile = () => join(effects.folder, 'broken')
    await open(engine, () => {
      writeFileSync(brokenWhile(), '')
      return {
        inbox: {},
        worker: { backoffMs: 300 },
        receiver: { inboxMode: 'on-failures' },
        brokenWhile: brokenWhile(),
      }
    })
    const count = BROKEN.deliveries
    await sendAll(count, BROKEN.inFlight, () => false)
    const row = countRefusedInARow()
    const before = effects.counts().size
    rmSync(brokenWhile())
    await vi.waitFor(() => expect(effects.counts().size).toBe(count), { timeout: 60_000, interval: 200 })

    const calls = sender.calls()
    console.log(
      `${engine}, everything fails: ${count} events in ${calls.length} calls, ${row} refused in a row, then stored; all handled once the handler worked again`,
    )
    expect(before).toBe(0)
    expect(calls.length).toBeGreaterThan(count)
    expect(row).toBeLessThan(OPENS_AT)
    expect(sender.webhooks.map(({ circuit_state }) => circuit_state)).not.toContain('open')
    expect(new Set(calls.filter(isAcknowledged).map(({ number }) => number)).size).toBe(count)
    expect([...effects.counts().values()].every((times) => times === 1)).toBe(true)
    expect(await listDeadLetters()).toEqual([])
  })
})
