import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Inbox } from 'hooklayer'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { describe, it, type TestContext, vi } from 'vitest'
import { createSeveral, createStored, putAll } from '../../../src/contracts/inbox/harness.ts'
import { type Crashable, createCrashablePostgres, createCrashableRedis } from '../../servers/crashable.ts'
import { noPostgresProgram } from '../../servers/postgres.ts'
import { noRedisProgram } from '../../servers/redis.ts'

const ENGINES = [
  ['redis', noRedisProgram, () => createCrashableRedis()],
  ['postgres', noPostgresProgram, () => createCrashablePostgres()],
] as const

const LEASE_MS = 600
/** More than a delivery has attempts. */
const LIVES = 6
const GOOD = createSeveral(9, 'good')

interface Shop {
  readonly inbox: Inbox
  readonly ended: Set<string>
  /** Starts workers one after another, each when the last one has ended, until it is stopped. */
  runWorkers(does: 'exits' | 'crashes'): { ends(): number; stop(): Promise<void> }
}

async function openShop(
  engine: string,
  create: () => Promise<Crashable>,
  { onTestFinished }: TestContext,
): Promise<Shop> {
  const server = await create()
  await server.start()
  const inbox = createBullmqInbox({ [engine]: server.url, leaseMs: LEASE_MS, putTimeoutMs: 60_000 })
  onTestFinished(() => inbox.close().then(() => server.remove()))
  const ended = new Set<string>()
  return {
    inbox,
    ended,
    runWorkers(does) {
      let isStopped = false
      let ends = 0
      let child: ChildProcess | undefined
      const running = (async () => {
        while (!isStopped) {
          const script = new URL('deadly-child.ts', import.meta.url).pathname
          child = fork(script, [engine, server.url, does], { execArgv: ['--import', 'tsx'] })
          child.on('message', (id) => ended.add(String(id)))
          await once(child, 'exit')
          ends += 1
        }
      })()
      return {
        ends: () => ends,
        async stop() {
          isStopped = true
          child?.kill('SIGKILL')
          await running
        },
      }
    },
  }
}

/** Together, because they mostly wait for leases. */
describe.concurrent.each(ENGINES)('on %s, a delivery', (engine, missing, create) => {
  it('that ends its worker is a dead letter, and those beside it are handled', {
    timeout: 120_000,
  }, async (context) => {
    const { expect, skip } = context
    skip(missing !== undefined, missing)
    const { inbox, ended, runWorkers } = await openShop(engine, create, context)
    await putAll(inbox, [...GOOD.slice(0, 4), createStored('deadly'), ...GOOD.slice(4)])
    const workers = runWorkers('exits')
    await vi.waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, failed: 0 }), {
      timeout: 100_000,
      interval: 200,
    })
    await workers.stop()
    expect([...ended].sort()).toEqual(GOOD.map(({ id }) => id))
    expect(await inbox.deadLetters.get('deadly')).toMatchObject({ error: { code: 'WORKER_LOST' } })
  })

  it('is not dead within minutes because its worker dies soon after each start', {
    timeout: 120_000,
  }, async (context) => {
    const { expect, skip } = context
    skip(missing !== undefined, missing)
    const { inbox, runWorkers } = await openShop(engine, create, context)
    await putAll(inbox, GOOD)
    const workers = runWorkers('crashes')
    await vi.waitFor(() => expect(workers.ends()).toBeGreaterThan(LIVES), { timeout: 90_000, interval: 200 })
    await workers.stop()
    expect(await inbox.statistics()).toMatchObject({ dead: 0 })
    const handled = new Set<string>()
    inbox.consume(async ({ id }) => void handled.add(id), {
      concurrency: 10,
      concurrencyByTopic: {},
      attempts: 12,
      delayMs: () => 50,
      onError() {},
    })
    await vi.waitFor(() => expect(handled.size).toBe(GOOD.length), { timeout: 30_000 })
  })
})
