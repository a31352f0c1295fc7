import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import type { Inbox } from 'hooklayer'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createGate, createSeveral, createStored } from '../../../src/contracts/inbox/harness.ts'
import { type Crashable, createCrashablePostgres, createCrashableRedis } from '../../servers/crashable.ts'
import { noPostgresProgram } from '../../servers/postgres.ts'
import { noRedisProgram } from '../../servers/redis.ts'
import { describeUnless } from '../../unless.ts'
import { waitFor } from '../../wait-for.ts'

const ENGINES = [
  ['redis', noRedisProgram, () => createCrashableRedis()],
  ['postgres', noPostgresProgram, () => createCrashablePostgres()],
] as const

const OPTIONS = { concurrency: 4, concurrencyByTopic: {}, attempts: 5, delayMs: () => 50 }
const OPTIONS_THAT_THROW = {
  ...OPTIONS,
  onError(error: unknown) {
    throw error
  },
}

describe.each(ENGINES)('the BullMQ inbox, when %s is killed,', (engine, missing, create) => {
  let server: Crashable
  let inboxes: Inbox[] = []

  function open(): Inbox {
    const inbox = createBullmqInbox({ [engine]: server.url, leaseMs: 2000, putTimeoutMs: 1000 })
    inboxes.push(inbox)
    return inbox
  }

  beforeEach(async ({ skip }) => {
    skip(missing !== undefined, missing)
    server = await create()
  })
  afterEach(async () => {
    await Promise.all(inboxes.map((inbox) => inbox.close()))
    inboxes = []
    await server?.remove()
  })

  it('refuses meanwhile, loses nothing that it has acknowledged, and recovers by itself', {
    timeout: 60_000,
  }, async () => {
    await server.start()
    const [inbox, receiver] = [open(), open()]
    await waitUntilOpen(inbox, receiver)
    const handled = new Set<string>()
    const onError = vi.fn()
    inbox.consume(async ({ id }) => void (await sleep(20).then(() => handled.add(id))), { ...OPTIONS, onError })
    const acknowledged: string[] = []
    const put = async (deliveries: ReturnType<typeof createSeveral>) => {
      for (const delivery of deliveries) if ((await receiver.put(delivery)) === 'stored') acknowledged.push(delivery.id)
    }
    await put([...createSeveral(40, 'alone'), ...createSeveral(10, 'grouped', { group: 'orders/A' })])

    await server.kill()
    const asked = performance.now()
    await expect(receiver.put(createStored('lost'))).rejects.toThrow('The BullMQ inbox failed.')
    expect(performance.now() - asked).toBeLessThan(1500)
    await vi.waitFor(() => expect(onError).toHaveBeenCalled(), { timeout: 5000 })

    await server.start()
    const back = performance.now()
    await vi.waitFor(() => put([createStored('after')]), { timeout: 5000 })
    await vi.waitFor(() => expect(handled).toContain('after'), { timeout: 5000 })
    expect(performance.now() - back).toBeLessThan(5000)
    await vi.waitFor(() => expect([...handled]).toEqual(expect.arrayContaining(acknowledged)), { timeout: 20_000 })
  })

  it('settles what was handled meanwhile, even after the lease, and handles nothing again', {
    timeout: 60_000,
  }, async () => {
    await server.start()
    const inbox = createBullmqInbox({ [engine]: server.url, leaseMs: 500 })
    inboxes.push(inbox)
    const { opened, open: finish } = createGate()
    const handle = vi.fn(() => opened)
    inbox.consume(handle, { ...OPTIONS, onError: () => {} })
    await inbox.put(createStored('alone'))
    await inbox.put(createStored('grouped', { group: 'orders/A' }))
    await vi.waitFor(() => expect(handle).toHaveBeenCalledTimes(2), { timeout: 5000 })

    await server.kill()
    finish()
    await sleep(1000)
    await server.start()
    const rest = async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, failed: 0 })
    await vi.waitFor(rest, { timeout: 15_000, interval: 100 })
    expect(handle).toHaveBeenCalledTimes(2)
  })

  it('works once the server is up, if it was down when the inbox was created', { timeout: 30_000 }, async () => {
    const inbox = open()
    const handled: string[] = []
    inbox.consume(async ({ id }) => void handled.push(id), { ...OPTIONS, onError: () => {} })
    await expect(inbox.put(createStored('early'))).rejects.toThrow('The BullMQ inbox failed.')
    await server.start()
    await vi.waitFor(async () => expect(await inbox.put(createStored('late'))).toBe('stored'), { timeout: 10_000 })
    await vi.waitFor(() => expect(handled).toContain('late'), { timeout: 5000 })
  })
})

describe.each(ENGINES)('a worker on %s that is killed', (engine, missing, create) => {
  it('leaves its deliveries to another worker, and after the last attempt they become dead letters', {
    timeout: 60_000,
  }, async ({ skip }) => {
    skip(missing !== undefined, missing)
    const server = await create()
    await server.start()
    const inbox = createBullmqInbox({ [engine]: server.url, leaseMs: 600 })
    onTestFinished(() => inbox.close().then(() => server.remove()))
    const deliveries = [createStored('alone'), createStored('grouped', { group: 'orders/A' })]
    for (const delivery of deliveries) await inbox.put(delivery)

    const isTaken = async () => {
      const script = new URL('child.ts', import.meta.url).pathname
      const child = fork(script, [engine, server.url], { execArgv: ['--import', 'tsx'] })
      const taken = new Set<unknown>()
      child.on('message', (id) => taken.add(id))
      await vi.waitFor(() => expect(taken).toEqual(new Set(['alone', 'grouped'])), { timeout: 15_000 })
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await isTaken()
    const numbers: number[] = []
    const stuck = inbox.consume(async (_, { number }) => {
      numbers.push(number)
      await new Promise(() => {})
    }, OPTIONS_THAT_THROW)
    await vi.waitFor(() => expect(numbers).toEqual([2, 2]), { timeout: 10_000 })
    await stuck.stop({ timeoutMs: 0 })

    const handle = vi.fn(async () => {})
    const errors: unknown[] = []
    inbox.consume(handle, { ...OPTIONS_THAT_THROW, attempts: 1, onError: (error) => errors.push(error) })
    await vi.waitFor(async () => expect((await inbox.statistics()).dead).toBe(2), { timeout: 10_000 })
    expect(handle).not.toHaveBeenCalled()
    expect(await inbox.deadLetters.get('alone')).toMatchObject({ attempts: 1, error: { code: 'WORKER_LOST' } })
    expect(errors.map(String)).toEqual(
      Array(2).fill(expect.stringMatching(/WORKER_LOST.*The delivery is a dead letter now/)),
    )
    expect(await inbox.deadLetters.retry('all')).toBe(2)
    await vi.waitFor(() => expect(handle).toHaveBeenCalledTimes(2), { timeout: 10_000 })
  })
})

describeUnless(noRedisProgram)('the BullMQ inbox on a Redis', () => {
  let server: Crashable
  let inbox: Inbox
  beforeEach(async () => {
    server = await createCrashableRedis('--maxmemory-policy', 'allkeys-lru')
    await server.start()
    inbox = createBullmqInbox({ redis: server.url })
  })
  afterEach(async () => {
    await inbox.close()
    await server.remove()
  })

  it('that may evict deliveries is reported once, and works', async () => {
    const onError = vi.fn()
    const handled = vi.fn(async () => {})
    inbox.consume(handled, { ...OPTIONS, onError })
    await waitFor(() => expect(onError).toHaveBeenCalled())
    await inbox.put(createStored('one'))
    await vi.waitFor(() => expect(handled).toHaveBeenCalled(), { timeout: 5000 })
    expect(onError.mock.calls).toEqual([
      [
        new Error(
          'The BullMQ inbox failed. Redis may evict acknowledged deliveries: its maxmemory-policy is allkeys-lru instead of noeviction.',
        ),
      ],
    ])
  })

  it('without free memory refuses, and its error shows nothing of the delivery', async () => {
    await inbox.put(createStored('fits'))
    const client = new Redis(server.url)
    await client.config('SET', 'maxmemory-policy', 'noeviction')
    await client.config('SET', 'maxmemory', '1')
    const body = Buffer.from('{"email":"somebody@example.com"}')
    const error = await inbox.put(createStored('too much', { body })).catch((thrown: unknown) => thrown)
    client.disconnect()
    expect(String(error)).toContain('OOM')
    const shown = inspect(error, { depth: 10, showHidden: true })
    expect(shown).not.toContain('somebody')
    expect(shown).not.toContain(body.toString('base64'))
  })
})

/** An inbox connects on first use. On a busy machine that may take longer than one `put` waits. */
async function waitUntilOpen(...inboxes: readonly Inbox[]): Promise<void> {
  await vi.waitFor(() => Promise.all(inboxes.map((inbox) => inbox.statistics())), { timeout: 20_000 })
}
