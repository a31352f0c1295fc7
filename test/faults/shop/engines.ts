import { join } from 'node:path'
import type { IdempotencyStore } from '../../../src/core/idempotency/store.ts'
import type { Inbox } from '../../../src/core/inbox/inbox.ts'
import { createBullmqInbox } from '../../../src/inboxes/bullmq.ts'
import { createSqliteInbox } from '../../../src/inboxes/sqlite.ts'
import { createPostgresStore } from '../../../src/stores/postgres.ts'
import { createRedisStore } from '../../../src/stores/redis.ts'
import { createSqliteStore } from '../../../src/stores/sqlite.ts'
import type { Settings } from './settings.ts'
import { type At, observeInbox, observeStore } from './stages.ts'

export type OpenStore = IdempotencyStore & { close(): Promise<unknown> }

export async function openStore({ engine, place, name = 'hooklayer' }: Settings, at: At): Promise<OpenStore> {
  return observeStore(await open[engine](place, name), at)
}

/** Drivers are loaded on demand, so that a process starts fast. Clients fail fast in an outage instead of waiting. */
const open: Record<Settings['engine'], (place: string, name: string) => Promise<OpenStore>> = {
  async sqlite(folder) {
    return createSqliteStore({ file: join(folder, 'store.db') })
  },
  async redis(url, name) {
    const { Redis } = await import('ioredis')
    const client = new Redis(url, {
      maxRetriesPerRequest: 1,
      retryStrategy: (times) => Math.min(times * 50, 500),
      socketTimeout: 3000,
    })
    client.on('error', () => {})
    return { ...createRedisStore({ client, prefix: `${name}:` }), close: () => client.quit() }
  },
  async postgres(connectionString, name) {
    const { default: pg } = await import('pg')
    const client = new pg.Pool({ connectionString, connectionTimeoutMillis: 1000, query_timeout: 2000 })
    client.on('error', () => {})
    const store = createPostgresStore({ client, table: name })
    await store.migrate()
    return { ...store, close: () => client.end() }
  },
}

export function openInbox({ engine, place, name = 'hooklayer', inbox = {} }: Settings, at: At): Inbox {
  const opened =
    engine === 'sqlite'
      ? createSqliteInbox({ file: join(place, 'deliveries.db'), ...inbox })
      : createBullmqInbox({ [engine]: place, name, ...inbox })
  return observeInbox(opened, at)
}
