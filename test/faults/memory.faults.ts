import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createCrashablePostgres, createCrashableRedis } from '../servers/crashable.ts'
import { noPostgresProgram } from '../servers/postgres.ts'
import { noRedisProgram } from '../servers/redis.ts'
import { createEffects } from './effects.ts'
import { findSteadyPort } from './ports.ts'
import { openSender } from './sender.ts'
import { killAll, startShop } from './shop-process.ts'

const ENGINES = [
  ['redis', noRedisProgram, createCrashableRedis],
  ['postgres', noPostgresProgram, createCrashablePostgres],
] as const

const BODY_BYTES = 250_000
const WAVES = 8
const WAVE = 25
const SENT_BYTES = WAVES * WAVE * BODY_BYTES
/** Connections time out after five seconds without an answer. */
const GIVEN_UP_MS = 15_000

function inMb(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}

afterEach(killAll)

describe.each(ENGINES)('a shop whose inbox is in %s', (engine, missing, create) => {
  it.skipIf(missing)('frees the memory of what it could not store while the engine is frozen', async () => {
    const server = await create()
    onTestFinished(() => server.remove())
    await server.start()
    const effects = createEffects()
    const port = await findSteadyPort()
    const sender = await openSender(port, { retries: 0 })
    onTestFinished(() => sender.close().then(effects.remove))
    sender.keepCircuitsClosed()
    const shop = await startShop({
      secrets: sender.secrets,
      engine,
      place: server.url,
      effects: effects.file,
      port,
      inbox: {},
      worker: {},
    })
    let number = 0
    const padding = 'x'.repeat(BODY_BYTES)
    const sendWave = () =>
      Promise.all(
        Array.from({ length: WAVE }, () =>
          sender.trigger('customers.create', { metadata: { number: number++, padding } }),
        ),
      )
    await sendWave()
    await vi.waitFor(() => expect(effects.counts().size).toBe(WAVE), { timeout: 10_000 })
    const before = await shop.memory()

    server.pause()
    const waves = []
    for (let wave = 0; wave < WAVES; wave++) {
      waves.push(sendWave())
      await sleep(250)
    }
    await Promise.all(waves)
    const grown = async () => (await shop.memory()) - before
    const most = await grown()
    const least = await vi.waitFor(
      async () => {
        const now = await grown()
        expect(now).toBeLessThan(SENT_BYTES / 10)
        return now
      },
      { timeout: GIVEN_UP_MS, interval: 500 },
    )
    server.resume()

    const refused = sender.calls().slice(WAVE)
    console.log(
      `${engine} stands still: ${refused.length} deliveries of ${BODY_BYTES / 1000} KB refused, ${SENT_BYTES / 1e6} MB in all; the shop's memory grew by ${inMb(most)} MB, and by ${inMb(least)} MB in the end`,
    )
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]))
    expect((await shop.terminate()).code).toBe(0)
  })
})
