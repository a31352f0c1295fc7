import { Redis } from 'ioredis'
import pg from 'pg'
import { noPostgres, startPostgres } from '../../servers/postgres.ts'
import { noRedis, startRedis } from '../../servers/redis.ts'

/** An engine for Hooklayer's store and inbox. */
export interface Engine {
  /** Why the engine is not available; `undefined` if it is. */
  readonly missing: string | undefined
  open(): Promise<OpenEngine>
}

export interface OpenEngine {
  readonly url: string
  /** @param prefix of the keys and tables to remove: the server may hold other data. */
  close(prefix: string): Promise<void>
}

export const ENGINES: Readonly<Record<string, Engine>> = {
  sqlite: { missing: undefined, open: async () => ({ url: '', close: async () => {} }) },
  redis: {
    missing: noRedis,
    async open() {
      const { url, close } = await startRedis()
      return {
        url,
        async close(prefix) {
          const client = new Redis(url)
          const keys = [...(await client.keys(`${prefix}*`)), ...(await client.keys(`bull:${prefix}*`))]
          if (keys.length > 0) await client.del(keys)
          client.disconnect()
          await close()
        },
      }
    },
  },
  postgres: {
    missing: noPostgres,
    async open() {
      const { url, close } = await startPostgres()
      return {
        url,
        async close(prefix) {
          const client = new pg.Client(url)
          await client.connect()
          const tables = async (where: string, value: string) =>
            (await client.query(`SELECT tablename FROM pg_tables WHERE ${where}`, [value])).rows
          for (const { tablename } of await tables('tablename LIKE $1', `${prefix}%`)) {
            await client.query(`DROP TABLE "${tablename}"`)
          }
          for (const { tablename } of await tables(
            "schemaname = $1 AND tablename IN ('job', 'dedup', 'event', 'meta')",
            'bullmq',
          )) {
            await client.query(`DELETE FROM bullmq.${tablename} WHERE queue LIKE $1`, [`${prefix}%`])
          }
          await client.end()
          await close()
        },
      }
    },
  },
}
