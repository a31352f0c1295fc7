import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createReceiver, type Handler } from 'hooklayer'
import type { IdempotencyStore } from 'hooklayer/drivers'
import { createPostgresStore } from 'hooklayer/stores/postgres'
import { createRedisStore } from 'hooklayer/stores/redis'
import { createDelivery, TEST_SECRET } from 'hooklayer/testing'
import { Redis } from 'ioredis'
import pg from 'pg'
import { createClient } from 'redis'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { noPostgres, type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { noRedis, type RedisServer, startRedis } from '../servers/redis.ts'
import { describeUnless } from '../unless.ts'
import { counted } from './counted.ts'

interface Opened {
  readonly store: IdempotencyStore
  asked(): number
  close(): Promise<unknown>
}

function fail(): never {
  throw new Error('no use')
}

/** Counts until there are no more: some go on after the answer. */
async function countAll(asked: () => number): Promise<number> {
  let count = 0
  for (let more = 1; more > 0; count += more) {
    await sleep(30)
    more = asked()
  }
  return count
}

function testRoundTrips(what: string, open: () => Promise<Opened>): void {
  /** The number of calls of the client for one delivery, after a first delivery. */
  async function createScene(...handlers: readonly Handler[]): Promise<() => Promise<[status: number, asked: number]>> {
    const { store, asked, close } = await open()
    onTestFinished(() => void close())
    const logger = { debug() {}, info() {}, warn() {}, error() {} }
    const receiver = createReceiver({ secrets: TEST_SECRET, logger, idempotency: { store } })
    for (const handler of handlers) receiver.on('orders.place', handler)
    const first = await createDelivery('orders.place', { resource: { number: 'the first' } })
    await createReceiver({ secrets: TEST_SECRET, logger, idempotency: { store } }).on('*', fail).receive(first)
    await receiver.receive(first)
    const delivery = await createDelivery('orders.place')
    await countAll(asked)
    return async () => {
      const { status } = await receiver.receive(delivery)
      return [status, await countAll(asked)]
    }
  }

  it(`needs two ${what} for an event: to reserve it, and to complete it`, async () => {
    const deliver = await createScene(() => {})
    expect(await deliver()).toEqual([200, 2])
  })

  it(`needs one of the ${what} for a duplicate`, async () => {
    const deliver = await createScene(() => {})
    await deliver()
    expect(await deliver()).toEqual([200, 1])
  })

  it(`needs three ${what} for an event whose handler fails: to reserve, to release, and to count it`, async () => {
    const deliver = await createScene(fail)
    expect(await deliver()).toEqual([500, 3])
  })

  it(`needs no more ${what} for several handlers, except one for each handler that ends long before another`, async () => {
    const quick = await createScene(
      () => {},
      async () => {},
      () => {},
    )
    expect(await quick()).toEqual([200, 2])
    const slow = await createScene(
      () => {},
      () => sleep(50),
    )
    expect(await slow()).toEqual([200, 3])
  })
}

describeUnless(noRedis)('the store in Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.close())
  const prefix = () => `hooklayer:${randomUUID()}:`

  const openIoRedis = async () => {
    const { client, asked } = counted(new Redis(server.url))
    return { store: createRedisStore({ client, prefix: prefix() }), asked, close: () => client.quit() }
  }
  const openNodeRedis = async () => {
    const { client, asked } = counted(await createClient({ url: server.url }).connect())
    return { store: createRedisStore({ client, prefix: prefix() }), asked, close: () => client.close() }
  }

  testRoundTrips('commands of ioredis', openIoRedis)
  testRoundTrips('commands of node-redis', openNodeRedis)

  it('runs one script for each command, by its digest', async () => {
    const redis = new Redis(server.url)
    const { store, close } = await openIoRedis()
    const receiver = createReceiver({ secrets: TEST_SECRET, idempotency: { store } }).on('orders.place', () => {})
    const scripts = async () => {
      const calls = (await redis.info('commandstats')).matchAll(/^cmdstat_(eval|evalsha):calls=(\d+)/gm)
      return Object.fromEntries([...calls].map(([, command, times]) => [command, Number(times)]))
    }
    await receiver.receive(await createDelivery('orders.place', { resource: { number: 'the first' } }))
    const before = await scripts()
    await receiver.receive(await createDelivery('orders.place'))
    const after = await scripts()
    expect(after.evalsha).toBe((before.evalsha ?? 0) + 2)
    expect(after.eval).toBe(before.eval)
    await Promise.all([close(), redis.quit()])
  })
})

describeUnless(noPostgres)('the store in PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
    // No sweep, which takes one statement in a hundred events.
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
  }, 60_000)
  afterAll(async () => {
    vi.restoreAllMocks()
    await server.close()
  })

  testRoundTrips('statements', async () => {
    const table = `h_${randomUUID().replaceAll('-', '')}`
    const pool = new pg.Pool({ connectionString: server.url })
    const { client, asked } = counted(pool)
    const store = createPostgresStore({ client, table })
    await store.migrate()
    const close = async () => {
      await pool.query(`drop table ${table}, ${table}_versions, ${table}_failures`)
      await pool.end()
    }
    return { store, asked, close }
  })
})
