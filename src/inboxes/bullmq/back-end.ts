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

/** What all queues and workers share: BullMQ would open connections for each of them. */
export interface OpenBackEnd {
  readonly connection: ConnectionOptions
  readonly create: BackendFactory<RedisQueueBackend>
  /** Gives a job back that is held under a token, to be the next one of its queue. */
  returnJob(job: DeliveryJob, token: string): Promise<unknown>
  /** What is wrong with how the back end is set up; `undefined` if nothing is. */
  warning(): Promise<string | undefined>
  close(): Promise<void>
}

export type BullMq = typeof import('bullmq')

/** How long one command may take, and how long a connection may be silent that owes an answer: it is taken for dead then. */
const COMMAND_MS = 5000

export function openBackEnd({ redis, postgres }: BackEndOptions, bullmq: BullMq): Promise<OpenBackEnd> {
  return redis === undefined ? openPostgres(postgres ?? {}, bullmq) : openRedis(redis, bullmq)
}

/** A command fails at once while Redis is away: nothing waits in memory that somebody has given up on. */
async function openRedis(given: string | object, { createRedisBackend }: BullMq): Promise<OpenBackEnd> {
  const { Redis } = await loadOptional('ioredis', import('ioredis'))
  const options = {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_MS,
    connectTimeout: COMMAND_MS,
    // Of a host that is gone for good nothing is heard, and the system would wait for it for a quarter of an hour.
    socketTimeout: COMMAND_MS,
    retryStrategy: (times: number) => Math.min(times * 100, 1000),
  }
  const client = typeof given === 'string' ? new Redis(given, options) : new Redis({ ...given, ...options })
  client.on('error', ignore)
  return {
    connection: client,
    create: (name, opts) => createRedisBackend(name, opts),
    returnJob: (job, token) => job.moveToWait(token),
    async warning() {
      const policy = /^maxmemory_policy:(\S+)/m.exec(await client.info('memory'))?.[1]
      if (policy === undefined || policy === 'noeviction') return undefined
      return `Redis may drop what was acknowledged: its maxmemory-policy is ${policy} instead of noeviction.`
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
    // BullMQ's types know the two apart, and nothing here does.
    connection: pool as unknown as ConnectionOptions,
    create: create as unknown as BackendFactory<RedisQueueBackend>,
    // BullMQ's own way puts a job at the end, but what was delayed keeps its place.
    returnJob: (job, token) => job.moveToDelayed(Date.now(), token),
    warning: async () => undefined,
    close: () => pool.end(),
  }
}

/** Whoever uses the connection is told by the call itself. But an `error` that nobody listens to would end the process. */
function ignore(): void {}

/** A package that only this inbox needs. */
export async function loadOptional<T>(name: string, loading: Promise<T>): Promise<T> {
  return loading.catch((cause: unknown) => {
    throw new Error(`createBullmqInbox needs ${name}: npm install ${name}`, { cause })
  })
}
