import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Inbox } from 'hooklayer'
import type { IdempotencyStore } from 'hooklayer/drivers'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { createPostgresStore } from 'hooklayer/stores/postgres'
import { createRedisStore } from 'hooklayer/stores/redis'
import { createSqliteStore } from 'hooklayer/stores/sqlite'
import { Redis } from 'ioredis'
import pg from 'pg'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { noPostgres, type PostgresServer, startPostgres } from '../../servers/postgres.ts'
import { noRedis, type RedisServer, startRedis } from '../../servers/redis.ts'

let redis: RedisServer | undefined
let postgres: PostgresServer | undefined

/** Starts the servers that are installed, for all tests of a file. */
export function startServers(): void {
  beforeAll(async () => {
    if (!noRedis) redis = await startRedis()
    if (!noPostgres) postgres = await startPostgres()
  }, 60_000)
  afterAll(() => Promise.all([redis?.close(), postgres?.close()]))
}

function createFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-recover-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'hooklayer.sqlite')
}

/** Opens another connection to the same store each time, as each process has its own. */
type Connect = () => IdempotencyStore

export const STORES: readonly (readonly [string, string | undefined, () => Connect | Promise<Connect>])[] = [
  ['memory', undefined, openMemory],
  ['SQLite', undefined, openSqlite],
  ['Redis', noRedis, openRedis],
  ['PostgreSQL', noPostgres, openPostgres],
]

function openMemory(): Connect {
  const store = createMemoryStore()
  return () => store
}

function openSqlite(): Connect {
  const file = createFile()
  return () => {
    const store = createSqliteStore({ file })
    onTestFinished(store.close)
    return store
  }
}

function openRedis(): Connect {
  const prefix = `${randomUUID()}:`
  return () => {
    const client = new Redis(String(redis?.url))
    onTestFinished(() => client.disconnect())
    return createRedisStore({ client, prefix })
  }
}

async function openPostgres(): Promise<Connect> {
  const client = new pg.Pool({ connectionString: String(postgres?.url) })
  onTestFinished(() => client.end())
  const table = `recovered_${randomUUID().replaceAll('-', '')}`
  await createPostgresStore({ client, table }).migrate()
  return () => createPostgresStore({ client, table })
}

export const INBOXES: readonly (readonly [string, string | undefined, (options?: { maxQueued?: number }) => Inbox])[] =
  [
    ['memory', undefined, createMemoryInbox],
    ['SQLite', undefined, (options) => createSqliteInbox({ file: createFile(), ...options })],
    ['Redis', noRedis, (options) => createBullmqInbox({ redis: String(redis?.url), name: randomUUID(), ...options })],
    [
      'PostgreSQL',
      noPostgres,
      (options) => createBullmqInbox({ postgres: String(postgres?.url), name: randomUUID(), ...options }),
    ],
  ]
