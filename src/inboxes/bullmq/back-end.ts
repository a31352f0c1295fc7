import type {
  BackendFactory,
  ConnectionOptions,
  PostgresConnectionOptions,
  PostgresQueueBackend,
  RedisQueueBackend,
} from 'bullmq'
import type { DeliveryJob } from './job.ts'

export interface BackEndOptions {
  readonly redis: string | object | undefined
  readonly postgres: string | object | undefined
}

/** The connection that all queues and workers share. Otherwise BullMQ would open connections for each of them. */
export interface OpenBackEnd {
  readonly connection: ConnectionOptions
  readonly create: BackendFactory<RedisQueueBackend>
  /** Puts a job that is locked with the token back at the front of its queue. */
  returnJob(job: DeliveryJob, token: string): Promise<unknown>
  /** A problem with the settings of the server; `undefined` if there is none. */
  findWarning(): Promise<string | undefined>
  close(): Promise<void>
}

export type BullMq = typeof import('bullmq')

/** The longest time for one command. A connection that does not answer for this long is considered dead. */
const COMMAND_MS = 5000

export function openBackEnd({ redis, postgres }: BackEndOptions, bullmq: BullMq): Promise<OpenBackEnd> {
  return redis === undefined ? openPostgres(postgres ?? {}, bullmq) : openRedis(redis, bullmq)
}

/** While Redis is down, commands fail at once. They must not wait in memory after their callers have timed out. */
async function openRedis(given: string | object, { createRedisBackend }: BullMq): Promise<OpenBackEnd> {
  const { Redis } = await loadOptional('ioredis', import('ioredis'))
  const options = {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_MS,
    connectTimeout: COMMAND_MS,
    // A host that has died closes no connection, and the operating system would wait for a quarter of an hour.
    socketTimeout: COMMAND_MS,
    retryStrategy: (times: number) => Math.min(times * 100, 1000),
  }
  const client = typeof given === 'string' ? new Redis(given, options) : new Redis({ ...given, ...options })
  client.on('error', ignore)
  return {
    connection: client,
    create: (name, opts) => createRedisBackend(name, opts),
    returnJob: (job, token) => job.moveToWait(token),
    async findWarning() {
      const policy = /^maxmemory_policy:(\S+)/m.exec(await client.info('memory'))?.[1]
      if (policy === undefined || policy === 'noeviction') return undefined
      return `Redis may evict acknowledged deliveries: its maxmemory-policy is ${policy} instead of noeviction.`
    },
    async close() {
      client.disconnect()
    },
  }
}

async function openPostgres(given: string | object, bullmq: BullMq): Promise<OpenBackEnd> {
  const { default: pg } = await loadOptional('pg', import('pg'))
  const options = {
    options: `-c search_path=${bullmq.DEFAULT_SCHEMA}`,
    connectionTimeoutMillis: COMMAND_MS,
    query_timeout: COMMAND_MS,
  }
  const pool = new pg.Pool(
    typeof given === 'string' ? { connectionString: given, ...options } : { ...given, ...options },
  )
  pool.on('error', ignore).setMaxListeners(0)
  try {
    const client = await pool.connect()
    await bullmq.runMigrations(client).finally(() => client.release())
  } catch (error) {
    await pool.end()
    throw error
  }
  const create: BackendFactory<PostgresQueueBackend, PostgresConnectionOptions> = (name, opts) =>
    bullmq.createPostgresBackend(name, opts)
  return {
    // BullMQ's types distinguish the two back ends; the code here treats them alike.
    connection: pool as unknown as ConnectionOptions,
    create: create as unknown as BackendFactory<RedisQueueBackend>,
    // `moveToWait` puts a job at the end on PostgreSQL, but a delayed job keeps its place.
    returnJob: (job, token) => job.moveToDelayed(Date.now(), token),
    findWarning: async () => undefined,
    close: () => pool.end(),
  }
}

/** The calls themselves report errors. But an `error` event without a listener would end the process. */
function ignore(): void {}

/** Loads an optional peer dependency. @throws Error that says what to install. */
export async function loadOptional<T>(name: string, loading: Promise<T>): Promise<T> {
  return loading.catch((cause: unknown) => {
    throw new Error(`createBullmqInbox needs ${name}: npm install ${name}`, { cause })
  })
}
