import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { openDatabase } from '../../src/sqlite/open.ts'
import { createEffects, type Effects } from './effects.ts'
import { sendRest, sendSteadily } from './load.ts'
import { findSteadyPort } from './ports.ts'
import { openSender, type Sender } from './sender.ts'
import type { Settings } from './shop/settings.ts'
import { killAll, type ShopProcess, startShop } from './shop-process.ts'

/** Longer than the process is ever blocked. */
const LEASE_MS = 5000
const AT_ONCE = { file: 'store.db', settings: { idempotency: { leaseMs: LEASE_MS } } }
const STORED = { file: 'deliveries.db', settings: { inbox: { leaseMs: LEASE_MS }, worker: { backoffMs: 100 } } }
const MODES = [
  ['has a store', AT_ONCE],
  ['has an inbox', STORED],
] as const

/** Less than the four seconds for which a write waits. */
const LOCK_MS = 3000
const HANDLER_MS = 100
const EVERY_MS = 25
const BACK_MS = 5000
const SENDER_TIMEOUT_MS = 5000

interface Scene {
  readonly effects: Effects
  readonly sender: Sender
  readonly shop: ShopProcess
}

async function open(settings: Partial<Settings>): Promise<Scene> {
  const effects = createEffects()
  const port = await findSteadyPort()
  const sender = await openSender(port)
  onTestFinished(async () => {
    await killAll()
    await sender.close()
    effects.remove()
  })
  sender.keepCircuitsClosed()
  const { secrets } = sender
  const place = effects.folder
  const shop = await startShop({ secrets, engine: 'sqlite', place, effects: effects.file, port, ...settings })
  return { effects, sender, shop }
}

/** Locks a file for writing, from this process. Resolves with the time at which the lock ended. */
async function lock({ folder }: Effects, file: string): Promise<number> {
  const { database, close } = openDatabase({ file: join(folder, file) }, '')
  database.exec('BEGIN IMMEDIATE')
  await sleep(LOCK_MS)
  database.exec('COMMIT')
  close()
  return Date.now()
}

describe('when another process writes to the SQLite file for three seconds,', () => {
  it.each(MODES)('a shop that %s answers in time, and recovers', async (mode, { file, settings }) => {
    const { effects, sender, shop } = await open({ ...settings, handlerMs: HANDLER_MS })
    const load = sendSteadily(sender, EVERY_MS)
    await vi.waitFor(() => expect(effects.counts().size).toBeGreaterThan(20), { timeout: 10_000 })
    const free = await lock(effects, file)
    const effectTimes = () => effects.lines().flatMap(({ what, time }) => (what === 'effect' ? [time] : []))
    await vi.waitFor(() => expect(Math.max(...effectTimes())).toBeGreaterThan(free), { timeout: 2 * BACK_MS })
    const count = await load.stop()
    await sendRest(sender, count)
    await vi.waitFor(() => expect(effects.counts().size).toBe(count), { timeout: 20_000, interval: 200 })

    const calls = sender.calls()
    const slowest = Math.max(...calls.map(({ began, ended }) => ended - began))
    const refused = calls.filter(({ status }) => status === 503)
    const back = Math.min(...effectTimes().filter((time) => time > free)) - free
    const repeated = [...effects.counts()].filter(([, times]) => times !== 1)
    console.log(
      `sqlite locked for ${LOCK_MS} ms, the shop ${mode}: ${count} events, ${refused.length} of ${calls.length} calls refused; the slowest answer after ${slowest} ms; effects ${back} ms after its end; 0 lost, ${repeated.length} twice`,
    )
    expect(calls.filter(({ status }) => status === undefined)).toEqual([])
    expect(slowest).toBeLessThan(SENDER_TIMEOUT_MS)
    expect(back).toBeLessThan(BACK_MS)
    expect(repeated).toEqual([])
    expect((await shop.terminate()).code).toBe(0)
  })

  it('an event that is completed meanwhile is recorded, and later events are handled', async () => {
    const { effects, sender } = await open({ ...AT_ONCE.settings, handlerMs: 3 * HANDLER_MS })
    const first = sender.send(0)
    await vi.waitFor(() => expect(effects.lines()).toHaveLength(1), { timeout: 10_000, interval: 10 })
    await lock(effects, AT_ONCE.file)
    expect(await first).toBe(200)
    const answers = []
    for (const number of [1, 2, 3, 0]) answers.push(await sender.send(number))
    console.log(`sqlite locked for ${LOCK_MS} ms while an event is handled: those that follow are answered ${answers}`)
    expect(answers).toEqual([200, 200, 200, 200])
    expect([...effects.counts()]).toEqual([0, 1, 2, 3].map((number) => [number, 1]))
  })
})
