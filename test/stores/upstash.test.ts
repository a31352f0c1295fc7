import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createReceiver } from 'hooklayer'
import { createRedisStore, type UpstashRedisClient } from 'hooklayer/stores/redis'
import { createDelivery, TEST_SECRET } from 'hooklayer/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { COMPLETE_OPTIONS, LONG_MS, reserveKey, reserveOptions } from '../../src/contracts/store/reservations.ts'
import { testStore } from '../../src/contracts/store/store.ts'
import { fixtureFolder, installFixture } from '../fixtures/install.ts'
import { noRedis, type RedisServer, startRedis } from '../servers/redis.ts'
import { type RedisRest, startRedisRest } from '../servers/redis-rest.ts'
import { describeUnless } from '../unless.ts'

interface Upstash {
  readonly Redis: new (options: {
    readonly url: string
    readonly token: string
    readonly enableAutoPipelining?: boolean
  }) => UpstashRedisClient
}

const missing = noRedis ?? (await installFixture('upstash'))
const upstash: Upstash | undefined = missing
  ? undefined
  : createRequire(join(fixtureFolder('upstash'), 'package.json'))('@upstash/redis')

let server: RedisServer | undefined
let rest: RedisRest | undefined
beforeAll(async () => {
  if (missing) return
  server = await startRedis()
  rest = await startRedisRest(server.url)
})
afterAll(async () => {
  await rest?.close()
  await server?.close()
})

function openClient(enableAutoPipelining: boolean) {
  if (!upstash || !rest) throw new Error('There is no server.')
  return new upstash.Redis({ url: rest.url, token: rest.token, enableAutoPipelining })
}

/** The client sends what is asked in one turn of the event loop together, unless it is told not to. */
for (const isPipelined of [true, false]) {
  const name = `the store in Redis by @upstash/redis${isPipelined ? '' : ' without pipelines'}`
  if (missing) it.skip(`${name} is not tested: ${missing}`)
  else {
    testStore(`${name}, over a REST front of our own`, async () => {
      const prefix = `hooklayer:${randomUUID()}:`
      return {
        open: async () => createRedisStore({ client: openClient(isPipelined), prefix }),
        close: async () => {},
      }
    })
  }
}

describeUnless(missing)('the store in Redis by @upstash/redis', () => {
  it.each([true, false])('does not answer each delivery 503 (pipelines: %s)', async (isPipelined) => {
    const store = createRedisStore({ client: openClient(isPipelined), prefix: `hooklayer:${randomUUID()}:` })
    const receiver = createReceiver({ secrets: TEST_SECRET, idempotency: { store } }).on('orders.place', () => {})
    const delivery = await createDelivery('orders.place')
    const statuses = [await receiver.receive(delivery), await receiver.receive(delivery)].map(({ body }) => body)
    expect(statuses.map((body) => JSON.parse(body).outcome)).toEqual(['handled', 'duplicate'])
  })

  it.each([true, false])('works after Redis has dropped the scripts (pipelines: %s)', async (isPipelined) => {
    const store = createRedisStore({ client: openClient(isPipelined), prefix: `hooklayer:${randomUUID()}:` })
    const { token } = await reserveKey(store, 'flushed')
    const redis = new Redis(server?.url ?? '')
    await redis.script('FLUSH')
    await redis.quit()
    expect(await store.complete('flushed', token, COMPLETE_OPTIONS)).toBe(true)
    expect(await store.reserve('flushed', reserveOptions(LONG_MS))).toEqual({ state: 'completed' })
  })
})
