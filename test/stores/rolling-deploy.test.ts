import { randomUUID } from 'node:crypto'
import type { IdempotencyStore } from 'hooklayer/drivers'
import { createPostgresStore } from 'hooklayer/stores/postgres'
import { createRedisStore } from 'hooklayer/stores/redis'
import { createSqliteStore } from 'hooklayer/stores/sqlite'
import { Redis } from 'ioredis'
import Libsql from 'libsql'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { LONG_MS, reserveKey } from '../../src/contracts/store/reservations.ts'
import { noPostgres, startPostgres } from '../servers/postgres.ts'
import { noRedis, startRedis } from '../servers/redis.ts'
import { describeUnless } from '../unless.ts'
import {
  createFormerPostgresStore,
  createFormerRedisStore,
  createFormerSqliteStore,
  type FormerStore,
} from './former-stores.ts'

interface Deploy {
  readonly former: FormerStore
  readonly store: IdempotencyStore
  close(): Promise<void>
}

const asking = (...names: string[]) => ({ leaseMs: LONG_MS, version: undefined, names })
const completing = (...done: string[]) => ({ retentionMs: LONG_MS, version: undefined, done })

/** Processes of 0.1 and of this version on one engine, in both directions. */
function testDeploy(engine: string, missing: string | undefined, start: () => Promise<Deploy>): void {
  describeUnless(missing)(`a rolling deploy on ${engine}`, () => {
    let deploy: Deploy
    beforeAll(async () => {
      deploy = await start()
    }, 60_000)
    afterAll(() => deploy?.close())

    it('does not run handlers again for what 0.1 has completed, whatever their names', async () => {
      const { former, store } = deploy
      const key = randomUUID()
      expect(await former.reserve(key, 'token')).toEqual([])
      expect(await store.reserve(key, asking('a'))).toEqual({ state: 'in-progress' })
      expect(await former.complete(key, 'token')).toBe(true)
      for (const names of [[], ['a']])
        expect(await store.reserve(key, asking(...names))).toEqual({ state: 'completed' })
    })

    it('does not let 0.1 run handlers for what is completed here, also while it is reserved again', async () => {
      const { former, store } = deploy
      const key = randomUUID()
      const { token } = await reserveKey(store, key, asking('a'))
      expect(await former.reserve(key, 'token')).toBe('in-progress')
      await store.complete(key, token, completing('a'))
      expect(await former.reserve(key, 'token')).toBe('completed')
      const again = await reserveKey(store, key, asking('b'))
      expect(await former.reserve(key, 'token')).toBe('completed')
      await store.release(key, again.token, { done: [], retentionMs: LONG_MS })
      expect(await former.reserve(key, 'token')).toBe('completed')
      const last = await reserveKey(store, key, asking('b'))
      await store.complete(key, last.token, completing('b'))
      expect(await former.reserve(key, 'token')).toBe('completed')
    })

    it('does not lose the names that are done between the two', async () => {
      const { former, store } = deploy
      const key = randomUUID()
      await former.reserve(key, 'token')
      await former.release(key, 'token', ['a'])
      const { token, done } = await reserveKey(store, key, asking('a', 'b'))
      expect(done).toEqual(['a'])
      await store.release(key, token, { done: ['b'], retentionMs: LONG_MS })
      expect([...(await former.reserve(key, 'token'))].sort()).toEqual(['a', 'b'])
    })
  })
}

testDeploy('Redis', noRedis, async () => {
  const server = await startRedis()
  const client = new Redis(server.url)
  const prefix = `hooklayer:${randomUUID()}:`
  return {
    former: createFormerRedisStore(client, prefix),
    store: createRedisStore({ client, prefix }),
    async close() {
      await client.quit()
      await server.close()
    },
  }
})

testDeploy('PostgreSQL', noPostgres, async () => {
  const server = await startPostgres()
  const pool = new pg.Pool({ connectionString: server.url })
  const table = `h_${randomUUID().replaceAll('-', '')}`
  const store = createPostgresStore({ client: pool, table })
  await store.migrate()
  return {
    former: createFormerPostgresStore(pool, table),
    store,
    async close() {
      await pool.query(`drop table ${table}, ${table}_versions, ${table}_failures`)
      await pool.end()
      await server.close()
    },
  }
})

testDeploy('SQLite', undefined, async () => {
  const database = new Libsql(':memory:')
  return {
    former: createFormerSqliteStore(database),
    store: createSqliteStore({ database }),
    close: async () => void database.close(),
  }
})
