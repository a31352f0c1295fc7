import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { type RedisServer, startRedis } from '../servers/redis.ts'
import type { Effects } from './effects.ts'
import type { Settings } from './shop/settings.ts'

export const ENGINES = ['sqlite', 'redis', 'postgres'] as const satisfies readonly Settings['engine'][]

/** One server of each engine for all shops of a suite. Their data is separated by `name`. */
export interface Places {
  readonly redis: string
  readonly postgres: string
  /** The URL or folder for a shop's data. */
  of(engine: Settings['engine'], effects: Effects): string
  close(): Promise<void>
}

export async function startPlaces(): Promise<Places> {
  const servers: [RedisServer, PostgresServer] = await Promise.all([startRedis(), startPostgres()])
  const [redis, postgres] = servers.map(({ url }) => url) as [string, string]
  return {
    redis,
    postgres,
    of: (engine, { folder }) => ({ sqlite: folder, redis, postgres })[engine],
    close: async () => void (await Promise.all(servers.map((server) => server.close()))),
  }
}

let shops = 0

/** A new name for each shop, unique also on servers that hold data of earlier runs. */
export function createShopName(): string {
  return `shop_${process.pid}_${Date.now()}_${++shops}`
}
