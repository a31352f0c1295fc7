import { setTimeout as sleep } from 'node:timers/promises'
import type {
  BackendFactory,
  ConnectionOptions,
  PostgresConnectionOptions,
  PostgresQueueBackend,
  Queue,
  RedisQueueBackend,
} from 'bullmq'
import { ignore, type OpenBackEnd, REWATCH_MS, type Watch, type WatchOptions } from './back-end.ts'
import type { BullMq } from './load-peers.ts'
import { createPostgresJobs, type RunQuery } from './postgres-jobs.ts'
import { createLeaseCheck } from './postgres-lease-check.ts'
import type { PostgresOption } from './postgres-option.ts'
import { createQueuePool, type QueuePool } from './postgres-pool.ts'

export interface PostgresPlaceOptions {
  readonly postgres: PostgresOption
  readonly transactionPooling: boolean
}

export interface PostgresOptions extends PostgresPlaceOptions {
  /** Whether tables that are missing or old are created or updated. */
  readonly migrate: boolean
}

/** The channel on which BullMQ tells that a queue has a job. */
const CHANNEL = 'bullmq_jobs'

export async function openPostgres(options: PostgresOptions, bullmq: BullMq): Promise<OpenBackEnd> {
  const queuePool = await createQueuePool({ ...options, schema: bullmq.DEFAULT_SCHEMA })
  const { pool } = queuePool
  try {
    if (!(await isMigrated(queuePool, bullmq))) await migrate(queuePool, options, bullmq)
  } catch (error) {
    await queuePool.close()
    throw explain(error)
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
    // What PostgreSQL has committed, it has after a restart.
    onReconnect: ignore,
    announce: (queue) => pool.query('SELECT pg_notify($1, $2)', [CHANNEL, queue.name]),
    watch: options.transactionPooling ? undefined : (watch) => listen(queuePool, watch),
    close: queuePool.close,
  }
}

/** Creates or updates the tables of BullMQ. */
export async function migratePostgres(options: PostgresPlaceOptions, bullmq: BullMq): Promise<void> {
  const queuePool = await createQueuePool({ ...options, schema: bullmq.DEFAULT_SCHEMA })
  try {
    await migrate(queuePool, { migrate: true }, bullmq)
  } catch (error) {
    throw explain(error)
  } finally {
    await queuePool.close()
  }
}

/** Whether there is nothing to migrate. A role that may create nothing may still ask. */
async function isMigrated({ pool }: QueuePool, bullmq: BullMq): Promise<boolean> {
  try {
    const version = await bullmq.assertSchemaCompatibility(pool, undefined, { skipVersionCheck: true })
    return version >= bullmq.LATEST_SCHEMA_VERSION
  } catch (error) {
    if (error instanceof bullmq.SchemaMigrationRequiredError) return false
    throw error
  }
}

async function migrate({ pool }: QueuePool, options: { readonly migrate: boolean }, bullmq: BullMq): Promise<void> {
  if (!options.migrate) {
    throw new Error('The tables of BullMQ are missing or old, and `migrate` is false. Run `migrateBullmqInbox`.')
  }
  const client = await pool.connect()
  await bullmq.runMigrations(client, undefined, { skipVersionCheck: true }).finally(() => client.release())
}

/** Adds what to do to an error of the server at the start. */
function explain(error: unknown): unknown {
  const { code, message } = Object(error)
  if (/unsupported startup parameter/.test(message)) {
    return new Error(`${message}. Is this a pooler, such as PgBouncer? Set \`transactionPooling: true\`.`)
  }
  if (code === '42501') {
    return new Error(`${message}. Run \`migrateBullmqInbox\` as a role that may create the tables, and grant this one.`)
  }
  return error
}

/** Listens on a connection of its own, which is opened again when it was lost. */
function listen({ createClient }: QueuePool, { queues, onJob }: WatchOptions): Watch {
  const byName = new Map(queues.map((queue) => [queue.name, queue]))
  const closing = new AbortController()
  let running: Promise<void> | undefined
  const wakeAll = () => {
    for (const queue of queues) onJob(queue, 0)
  }

  async function listenOnce(): Promise<void> {
    const client = createClient()
    const ended = new Promise<void>((resolve) => {
      client.on('error', () => resolve()).once('end', resolve)
      closing.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    client.on('notification', ({ payload }) => {
      const queue = byName.get(payload ?? '')
      if (queue) onJob(queue, 0)
    })
    const subscribe = async () => {
      await client.connect()
      await client.query(`LISTEN ${CHANNEL}`)
      // What came before is not told again.
      wakeAll()
    }
    try {
      // `connect` never settles if the client is ended meanwhile.
      await Promise.race([subscribe(), ended])
      await ended
    } finally {
      void client.end().catch(ignore)
    }
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      await listenOnce().catch(ignore)
      wakeAll()
      await sleep(REWATCH_MS, undefined, { signal: closing.signal }).catch(ignore)
    }
  }

  return {
    start() {
      running ??= run()
    },
    async close() {
      closing.abort()
      await running
    },
  }
}
