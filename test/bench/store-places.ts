import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '../servers/postgres.ts'
import { startRedis } from '../servers/redis.ts'
import type { StorePlace } from './store-engines.ts'

export interface StorePlaces {
  readonly places: readonly StorePlace[]
  close(): Promise<void>
}

/** Places that several processes can share, empty and with the settings of a shop: all of them write to the disk. */
export async function startStorePlaces(): Promise<StorePlaces> {
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-bench-'))
  const [redis, postgres] = await Promise.all([startRedis({ appendfsync: 'everysec' }), startPostgres({ fsync: true })])
  return {
    places: [
      { engine: 'SQLite', place: join(folder, 'hooklayer.sqlite') },
      { engine: 'Redis', place: redis.url },
      { engine: 'PostgreSQL', place: postgres.url },
    ],
    async close() {
      await Promise.all([redis.close(), postgres.close()])
      rmSync(folder, { recursive: true })
    },
  }
}
