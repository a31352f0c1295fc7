import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { openDatabase } from '../../src/sqlite/open.ts'
import { createEffects } from './effects.ts'
import { sendRest, sendSteadily } from './load.ts'
import { steadyPort } from './ports.ts'
import { openSender } from './sender.ts'
import { killAll, startShop } from './shop-process.ts'

const MODES = [
  ['handles at once', 'store.db', { idempotency: { leaseMs: 5000 } }],
  ['has an inbox', 'deliveries.db', { inbox: { leaseMs: 5000 }, worker: { backoffMs: 100 } }],
] as const

const LOCK_MS = 3000
/** Some events are at work when the lock comes, and are to be recorded while it lasts. */
const HANDLER_MS = 100
const EVERY_MS = 25
const BACK_MS = 5000
const PATIENCE_MS = 5000

afterEach(killAll)

describe('when another process writes to the SQLite file for three seconds,', () => {
  it.each(MODES)('a shop that %s answers in time, and goes on where it was', async (mode, file, settings) => {
    const effects = createEffects()
    const port = await steadyPort()
    const sender = await openSender(port)
    onTestFinished(() => sender.close().then(effects.remove))
    sender.keepCircuitsClosed()
    const shop = await startShop({
      secrets: sender.secrets,
      engine: 'sqlite',
      place: effects.folder,
      effects: effects.file,
      port,
      handlerMs: HANDLER_MS,
      ...settings,
    })
    const load = sendSteadily(sender, EVERY_MS)
    await vi.waitFor(() => expect(effects.counts().size).toBeGreaterThan(20), { timeout: 10_000 })

    const { database, close } = openDatabase({ file: join(effects.folder, file) }, '')
    database.exec('BEGIN IMMEDIATE')
    const locked = Date.now()
    await sleep(LOCK_MS)
    database.exec('COMMIT')
    const free = Date.now()
    close()
    const effectTimes = () => effects.lines().flatMap(({ what, time }) => (what === 'effect' ? [time] : []))
    await vi.waitFor(() => expect(Math.max(...effectTimes())).toBeGreaterThan(free), { timeout: 2 * BACK_MS })

    const count = await load.stop()
    await sendRest(sender, count)
    await vi.waitFor(() => expect(effects.counts().size).toBe(count), { timeout: 20_000, interval: 200 })
    const calls = sender.calls()
    const slowest = Math.max(...calls.map(({ began, ended }) => ended - began))
    const refused = calls.filter(({ status }) => status === 503)
    const back = Math.min(...effectTimes().filter((time) => time > free)) - free
    console.log(
      `sqlite locked for ${free - locked} ms, the shop ${mode}: ${count} events, ${refused.length} of ${calls.length} calls refused; the slowest answer after ${slowest} ms; effects ${back} ms after its end; 0 lost, 0 twice`,
    )
    expect(calls.filter(({ status }) => status === undefined)).toEqual([])
    expect(slowest).toBeLessThan(PATIENCE_MS)
    expect(back).toBeLessThan(BACK_MS)
    expect([...effects.counts()].filter(([, times]) => times !== 1)).toEqual([])
    expect((await shop.terminate()).code).toBe(0)
  })
})
