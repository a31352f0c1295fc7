import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPostgresBackend, Queue } from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import type { StoredDelivery } from '../../src/drivers.ts'
import type { Inbox } from '../../src/index.ts'
import { prepare } from '../../src/sqlite/database.ts'
import { openDatabase } from '../../src/sqlite/open.ts'
import { startPostgres } from '../servers/postgres.ts'
import { type RedisOptions, startRedis } from '../servers/redis.ts'
import { built } from './built.ts'
import { GENEROUS_TIMEOUT_MS } from './timeouts.ts'

/** An inbox, and its engine without the inbox. */
export interface OpenEngine {
  readonly inbox: Inbox
  /** Prepares a function that adds the same bytes in the engine's own way. */
  bare(delivery: StoredDelivery): () => unknown
  /** Removes all that was added. */
  clear(): Promise<unknown>
  close(): Promise<void>
}

export interface InboxEngine {
  readonly name: string
  open(): Promise<OpenEngine>
}

export const INBOX_ENGINES: readonly InboxEngine[] = [
  { name: 'SQLite', open: openSqlite },
  { name: 'BullMQ on Redis, everysec', open: () => openRedis('everysec') },
  { name: 'BullMQ on Redis, always', open: () => openRedis('always') },
  { name: 'BullMQ on PostgreSQL', open: openPostgres },
]

/** Both files have the same settings: WAL, `synchronous = FULL`. The bare file gets the body unchanged. */
async function openSqlite(): Promise<OpenEngine> {
  const { createSqliteInbox } = await built('inboxes/sqlite')
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-bench-'))
  const file = join(folder, 'inbox.sqlite')
  const inbox = createSqliteInbox({ file })
  const beside = openDatabase({ file }, '')
  const tables = 'CREATE TABLE bare (id TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT'
  const own = openDatabase({ file: join(folder, 'bare.sqlite') }, tables)
  const insert = prepare(own.database, 'INSERT INTO bare VALUES (?, ?)')
  return {
    inbox,
    bare: ({ id, body }) => {
      return () => insert.run(id, body)
    },
    async clear() {
      beside.database.exec('DELETE FROM hooklayer_deliveries; DELETE FROM hooklayer_bodies')
      own.database.exec('DELETE FROM bare')
    },
    async close() {
      await inbox.close()
      beside.close()
      own.close()
      rmSync(folder, { recursive: true })
    },
  }
}

async function openRedis(appendfsync: NonNullable<RedisOptions['appendfsync']>): Promise<OpenEngine> {
  const { createBullmqInbox } = await built('inboxes/bullmq')
  const server = await startRedis({ appendfsync })
  const inbox = createBullmqInbox({ redis: server.url, putTimeoutMs: GENEROUS_TIMEOUT_MS })
  const queue = new Queue('bare', { connection: { url: server.url } })
  const redis = new Redis(server.url)
  await inbox.statistics()
  return {
    inbox,
    bare: (delivery) => addTo(queue, delivery),
    async clear() {
      const keys = (await redis.keys('bull:*')).filter((key) => !key.endsWith(':meta'))
      if (keys.length > 0) await redis.del(keys)
    },
    async close() {
      await Promise.all([inbox.close(), queue.close(), redis.quit()])
      await server.close()
    },
  }
}

async function openPostgres(): Promise<OpenEngine> {
  const { createBullmqInbox } = await built('inboxes/bullmq')
  const server = await startPostgres({ fsync: true })
  const inbox = createBullmqInbox({ postgres: server.url, putTimeoutMs: GENEROUS_TIMEOUT_MS })
  await inbox.statistics()
  const pool = new pg.Pool({ connectionString: server.url, options: '-c search_path=bullmq' })
  // BullMQ's types know Redis only.
  const [connection, create] = [pool, createPostgresBackend] as unknown as [object, undefined]
  const queue = new Queue('bare', { connection }, create)
  return {
    inbox,
    bare: (delivery) => addTo(queue, delivery),
    clear: () => pool.query('TRUNCATE bullmq.job, bullmq.dedup, bullmq.event CASCADE'),
    async close() {
      await Promise.all([inbox.close(), queue.close()])
      await pool.end()
      await server.close()
    },
  }
}

/** The body unchanged, without anything that identifies duplicates. */
function addTo(queue: Queue, { topic, body }: StoredDelivery): () => unknown {
  const data = { body: Buffer.from(body).toString('base64') }
  return () => queue.add(topic, data)
}
