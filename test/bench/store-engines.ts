import { Redis } from 'ioredis'
import pg from 'pg'
import type { IdempotencyStore } from '../../src/drivers.ts'
import { built } from './built.ts'

/** The place of a store: a file, or the URL of a server; empty for the memory store. */
export interface StorePlace {
  readonly engine: 'memory' | 'SQLite' | 'Redis' | 'PostgreSQL'
  readonly place: string
}

export interface OpenStore {
  readonly store: IdempotencyStore
  close(): Promise<unknown>
}

/** @param watch wraps the client of a server; the store uses what it returns. */
export async function openStore(
  { engine, place }: StorePlace,
  watch: <Client extends object>(client: Client) => Client = (client) => client,
): Promise<OpenStore> {
  if (engine === 'memory') return { store: (await built('stores/memory')).createMemoryStore(), close: async () => {} }
  if (engine === 'SQLite') {
    const store = (await built('stores/sqlite')).createSqliteStore({ file: place })
    return { store, close: store.close }
  }
  if (engine === 'Redis') {
    const client = new Redis(place)
    return {
      store: (await built('stores/redis')).createRedisStore({ client: watch(client) }),
      close: () => client.quit(),
    }
  }
  const client = new pg.Pool({ connectionString: place })
  const store = (await built('stores/postgres')).createPostgresStore({ client: watch(client) })
  await store.migrate()
  return { store, close: () => client.end() }
}
