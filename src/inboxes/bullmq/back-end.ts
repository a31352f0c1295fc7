import type {
  BackendFactory,
  ConnectionOptions,
  PostgresConnectionOptions,
  PostgresQueueBackend,
  Queue,
  RedisQueueBackend,
} from 'bullmq'
import type { EngineJobs } from './engine-jobs.ts'
import { toDamagedData } from './job.ts'
import { createPostgresJobs, type RunQuery } from './postgres-jobs.ts'
import { createLeaseCheck, type LeaseCheck } from './postgres-lease-check.ts'
import { createRedisJobs } from './redis-jobs.ts'

export interface BackEndOptions {
  readonly redis: string | object | undefined
  readonly postgres: string | object | undefined
}

/** The connection that all queues and workers share. Otherwise BullMQ would open connections for each of them. */
export interface OpenBackEnd {
  readonly connection: ConnectionOptions
  readonly create: BackendFactory<RedisQueueBackend>
  /** Opens what BullMQ cannot do with the jobs of the lanes. */
  openJobs(queues: readonly Queue[]): EngineJobs
  /** Takes jobs back whose worker was lost; `undefined` where BullMQ does it well. */
  readonly checkLeases?: ((queues: readonly Queue[], leaseMs: number) => LeaseCheck) | undefined
  /**
   * Finds the job of a queue that is locked with the token, without parsing it; `undefined` if there is none. Gives
   * its id.
   */
  findLocked(queue: Queue, token: string): Promise<string | undefined>
  /** Makes a job readable whose fields cannot be parsed. Data that is not JSON stays in its body. */
  repairJob(queue: Queue, id: string): Promise<unknown>
  /** A problem with the settings of the server; `undefined` if there is none. */
  findWarning(): Promise<string | undefined>
  close(): Promise<void>
}

export type BullMq = typeof import('bullmq')

/** The longest time for one command. A connection that does not answer for this long is considered dead. */
const COMMAND_MS = 5000

/** The fields of a job in which BullMQ counts on Redis: attempts that were started and made, and lost workers. */
const COUNTS = ['ats', 'atm', 'stc']

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
    openJobs: (queues) => createRedisJobs(client, queues),
    async findLocked(queue, token) {
      for (const id of await queue.getRanges(['active'])) {
        if ((await client.get(`${queue.toKey(id)}:lock`)) === token) return id
      }
      return undefined
    },
    async repairJob(queue, id) {
      const key = queue.toKey(id)
      const data = (await client.hget(key, 'data')) ?? ''
      const counts = await client.hmget(key, ...COUNTS)
      const wrongCounts = COUNTS.filter((_, i) => !/^\d{1,9}$/.test(counts[i] ?? '0'))
      await client.hdel(key, 'progress', 'parent', 'parentKey', ...wrongCounts)
      await client.hset(key, { opts: '{}', data: isJson(data) ? data : toDamagedData(data) })
    },
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
  const query: RunQuery = (text, values) => pool.query(text, values)
  const toNames = (queues: readonly Queue[]) => queues.map(({ name }) => name)
  const create: BackendFactory<PostgresQueueBackend, PostgresConnectionOptions> = (name, opts) =>
    bullmq.createPostgresBackend(name, opts)
  return {
    // BullMQ's types distinguish the two back ends; the code here treats them alike.
    connection: pool as unknown as ConnectionOptions,
    create: create as unknown as BackendFactory<RedisQueueBackend>,
    openJobs: (queues) => createPostgresJobs(query, toNames(queues)),
    checkLeases: (queues, leaseMs) => createLeaseCheck(query, toNames(queues), leaseMs),
    // PostgreSQL itself refuses what is not JSON.
    findLocked: async () => undefined,
    repairJob: async () => undefined,
    findWarning: async () => undefined,
    close: () => pool.end(),
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
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
