import { createReceiver, createWorker } from 'hooklayer'
import type { StoredDelivery } from 'hooklayer/drivers'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { bytes, order, recordingLogger, SECRET } from '../deliveries.ts'
import { noRedis, type RedisServer, startRedis } from '../servers/redis.ts'
import { describeUnless } from '../unless.ts'
import { fuzz } from './fuzz/fuzz.ts'
import { type Damage, damages, type Engine, openBullmq, openMemory, openSqlite } from './fuzz/stored.ts'

const STORED = 6
const PATIENCE = { timeout: 20_000, interval: 5 }

/** No few bits that are flipped make one of them another one. */
const nameOf = (number: number) => `order-${String(number).repeat(8)}`

function createStored(number: number, group: string | undefined): StoredDelivery {
  const body = bytes(JSON.stringify({ data: order({ id: nameOf(number) }) }))
  return { id: `delivery-${number}`, topic: 'orders.place', body, receivedAt: new Date(), group }
}

/** Stores deliveries, damages some, and lets a worker run until nothing is left. Then one more must be handled. */
async function survive(engine: Engine, list: readonly Damage[]): Promise<void> {
  const logged = recordingLogger()
  const receiver = createReceiver({ secrets: SECRET, logger: logged.logger })
  const handled: string[] = []
  receiver.on('orders.place', ({ resource }) => void handled.push(resource.id))
  const { inbox } = engine
  const deliveries = Array.from({ length: STORED }, (_, number) => createStored(number, `group-${number % 3}`))
  await engine.put(deliveries, list)
  const worker = createWorker({ receiver, inbox, attempts: 1, logger: logged.logger })
  try {
    await vi.waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0 }), PATIENCE)
    await inbox.put(createStored(STORED, undefined))
    await vi.waitFor(() => expect(handled).toContain(nameOf(STORED)), PATIENCE)
    const damaged = new Set(list.map(({ delivery }) => nameOf(delivery)))
    // What nobody touched is handled, once. What somebody touched is handled at most once.
    expect(new Set(handled).size).toBe(handled.length)
    const whole = deliveries.map((_, number) => nameOf(number)).filter((id) => !damaged.has(id))
    expect(handled).toEqual(expect.arrayContaining(whole))
  } finally {
    await worker.stop({ timeoutMs: 0 })
    await engine.end()
  }
}

describe('deliveries that somebody damaged', () => {
  it('never stop the memory inbox', async () => {
    await fuzz('stored-memory', 0.05, damages, async (list) => survive(await openMemory(), list))
  })

  it('never stop the SQLite inbox', async () => {
    await fuzz('stored-sqlite', 0.05, damages, async (list) => survive(await openSqlite(), list))
  })
})

describeUnless(noRedis)('jobs that somebody damaged', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.close())

  it('never stop the BullMQ inbox', async () => {
    await fuzz('stored-bullmq', 0.05, damages, async (list) => survive(await openBullmq(server.url), list))
  })
})
