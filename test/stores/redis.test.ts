import { randomUUID } from 'node:crypto'
import { createRedisStore, type RedisStoreOptions } from 'hooklayer/stores/redis'
import { Redis } from 'ioredis'
import { createClient, createClientPool } from 'redis'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { COMPLETE_OPTIONS, LONG_MS, reserveKey, reserveOptions } from '../../src/contracts/store/reservations.ts'
import { type StorePlace, testStore } from '../../src/contracts/store/store.ts'
import { noRedis, type RedisServer, startRedis } from '../servers/redis.ts'
import { describeUnless } from '../unless.ts'

let server: RedisServer | undefined
beforeAll(async () => {
  if (!noRedis) server = await startRedis()
})
afterAll(() => server?.close())

interface Opened {
  readonly client: RedisStoreOptions['client']
  close(): unknown
}

async function openNodeRedis(url: string) {
  const client = await createClient({ url }).connect()
  return { client, close: () => client.close() }
}

async function openNodeRedisPool(url: string) {
  const client = createClientPool({ url }, { minimum: 2, maximum: 5 })
  await client.connect()
  return { client, close: () => client.close() }
}

async function openIoRedis(url: string) {
  const client = new Redis(url)
  return { client, close: () => client.quit() }
}

function sceneWith(open: (url: string) => Promise<Opened>): () => Promise<StorePlace> {
  return async () => {
    const prefix = `hooklayer:${randomUUID()}:`
    const opened: Opened[] = []
    return {
      async open() {
        const one = await open(server?.url ?? '')
        opened.push(one)
        return createRedisStore({ client: one.client, prefix })
      },
      async close() {
        await Promise.all(opened.map((one) => one.close()))
      },
    }
  }
}

if (!noRedis) {
  testStore('the store in Redis by node-redis', sceneWith(openNodeRedis))
  testStore('the store in Redis by a pool of node-redis', sceneWith(openNodeRedisPool))
  testStore('the store in Redis by ioredis', sceneWith(openIoRedis))
} else it.skip(`Redis is not tested: ${noRedis}`)

describeUnless(noRedis)('the store in Redis', () => {
  let url = ''
  const prefix = `hooklayer:${randomUUID()}:`
  let redis: Awaited<ReturnType<typeof openNodeRedis>>
  beforeAll(async () => {
    url = server?.url ?? ''
    redis = await openNodeRedis(url)
  })
  afterAll(() => redis.close())
  afterEach(() => void vi.restoreAllMocks())

  it('is one store for both clients: they find the same keys', async () => {
    const io = await openIoRedis(url)
    const one = createRedisStore({ client: redis.client, prefix })
    const other = createRedisStore({ client: io.client, prefix })
    const version = { resource: 'orders/OeRyhjDlje', updatedAt: '2026-01-01T00:00:00.000Z' }
    const { token } = await reserveKey(one, 'both', reserveOptions(LONG_MS, version))
    expect(await other.complete('both', token, { retentionMs: LONG_MS, version })).toBe(true)
    expect(await one.reserve('both', reserveOptions(LONG_MS, version))).toEqual({ state: 'completed' })
    expect((await redis.client.keys(`${prefix}*`)).sort()).toEqual([
      `${prefix}{orders/OeRyhjDlje}claim:both`,
      `${prefix}{orders/OeRyhjDlje}version`,
    ])
    await io.close()
  })

  it('works after Redis has dropped the scripts', async () => {
    const store = createRedisStore({ client: redis.client, prefix })
    const { token } = await reserveKey(store, 'flushed')
    await redis.client.scriptFlush()
    expect(await store.complete('flushed', token, COMPLETE_OPTIONS)).toBe(true)
    expect(await store.reserve('flushed', reserveOptions(LONG_MS))).toEqual({ state: 'completed' })
  })

  it('sets an expiry on all keys', async () => {
    const store = createRedisStore({ client: redis.client, prefix: `${prefix}expiring:` })
    const version = { resource: 'orders/OeRyhjDlje', updatedAt: '2026-01-01T00:00:00.000Z' }
    const [held, ended, released] = await Promise.all(
      ['held', 'ended', 'released'].map((key) => reserveKey(store, key, reserveOptions(LONG_MS, version))),
    )
    await store.renew('held', held?.token ?? '', { leaseMs: LONG_MS, done: ['a'] })
    await store.complete('ended', ended?.token ?? '', { retentionMs: LONG_MS, version })
    await store.release('released', released?.token ?? '', { done: ['a'], retentionMs: LONG_MS })
    const keys = await redis.client.keys(`${prefix}expiring:*`)
    expect(keys).toHaveLength(4)
    for (const key of keys) expect(await redis.client.pTTL(key)).toBeGreaterThan(0)
  })

  it('does not let the process end when Redis goes away and nobody listens to errors', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    const client = createClient({ url })
    createRedisStore({ client })
    createRedisStore({ client })
    expect(client.listenerCount('error')).toBe(1)
    for (let i = 0; i < 3; i++) client.emit('error', new Error('Socket closed unexpectedly'))
    expect(vi.mocked(console.warn).mock.calls).toEqual([[expect.stringContaining('Socket closed unexpectedly')]])
  })

  it('adds no listener where there is one, and is silent once there is another', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const heard = vi.fn()
    const listened = createClient({ url }).on('error', heard)
    createRedisStore({ client: listened })
    expect(listened.listenerCount('error')).toBe(1)
    const late = new Redis(url, { lazyConnect: true })
    createRedisStore({ client: late })
    late.on('error', heard)
    for (const client of [listened, late]) client.emit('error', new Error('down'))
    expect([heard.mock.calls.length, warn.mock.calls.length]).toEqual([2, 0])
  })

  it('does not take a reply of an unknown form for an event in progress', async () => {
    const client = { eval: async () => ['?'], evalsha: async () => ['?'] }
    const store = createRedisStore({ client })
    await expect(store.reserve('key', reserveOptions(LONG_MS))).rejects.toThrow('unknown form')
  })

  it('passes on an error of the client as it is', async () => {
    const { client, close } = await openNodeRedis(url)
    await close()
    const store = createRedisStore({ client })
    await expect(store.reserve('key', reserveOptions(LONG_MS))).rejects.toThrow('The client is closed')
  })
})

it.each([undefined, {}, { eval() {} }])('refuses %s for a client', (client) => {
  const make = () => createRedisStore({ client: client as unknown as RedisStoreOptions['client'] })
  expect(make).toThrow(TypeError)
  expect(make).toThrow('`client` must be a client of `redis`, `ioredis` or `@upstash/redis`.')
})
