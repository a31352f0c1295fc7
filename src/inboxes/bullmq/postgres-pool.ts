import type { PgPool, PgPoolClient, PgQueryResult } from 'bullmq'
import type { Client, CustomTypesConfig, Pool, PoolClient, QueryConfig } from 'pg'
import { withTimeout } from '../../core/deadline.ts'
import { COMMAND_MS, ignore } from './back-end.ts'
import { loadPg } from './load-peers.ts'
import { isPostgresPool, type PostgresOption, toPoolConfig } from './postgres-option.ts'

/** A pool as BullMQ uses it. */
export interface QueuePool {
  readonly pool: PgPool
  /** Makes a client outside the pool, for what stays on one connection. It is not connected yet. */
  createClient(): Client
  /** Closes the pool, unless it is the user's. */
  close(): Promise<void>
}

interface QueuePoolOptions {
  readonly postgres: PostgresOption
  readonly transactionPooling: boolean
  readonly schema: string
}

/** A serialization failure, and a deadlock. The transaction was rolled back, so it may be tried again. */
const RETRYABLE_CODES: readonly unknown[] = ['40001', '40P01']

/**
 * BullMQ's statements need its schema in the search path, and are made for `READ COMMITTED`. Connections of our own
 * start with both. Other connections are shared, by a pool of the user or by a pooler between transactions, and keep
 * their settings: each statement runs in a transaction that has its own.
 */
export async function createQueuePool(options: QueuePoolOptions): Promise<QueuePool> {
  const { postgres, transactionPooling, schema } = options
  const isOurs = !isPostgresPool(postgres)
  const startup = [`-c search_path=${schema}`, '-c default_transaction_isolation=read\\ committed']
  const pool = isOurs
    ? await createPool(toPoolConfig(postgres, transactionPooling ? [] : startup))
    : (postgres as unknown as Pool)
  const queryOnce = isOurs && !transactionPooling ? createQuery(pool) : createSharedQuery(pool, schema)
  pool.on('error', ignore)

  async function query(text: string, values: readonly unknown[] = []): Promise<PgQueryResult> {
    const storable = values.map(toStorable)
    try {
      return await queryOnce(text, storable)
    } catch (error) {
      if (!RETRYABLE_CODES.includes(Object(error).code)) throw error
      return queryOnce(text, storable)
    }
  }

  const queuePool: PgPool = {
    query,
    connect: () => connect(pool) as Promise<PgPoolClient>,
    // Each queue and each worker would add listeners of its own to the pool.
    on: () => queuePool,
    removeAllListeners: () => queuePool,
    end: async () => {},
  }
  return {
    pool: queuePool,
    createClient: () => createClient(pool),
    async close() {
      if (isOurs) await pool.end()
      else pool.off('error', ignore)
    },
  }
}

type RunQuery = (text: string, values: readonly unknown[]) => Promise<PgQueryResult>

async function createPool(config: object): Promise<Pool> {
  const pg = await loadPg()
  return new pg.Pool({
    // An idle worker looks for lost deliveries more often than this, and each connection takes a transaction.
    idleTimeoutMillis: 60_000,
    ...config,
    connectionTimeoutMillis: COMMAND_MS,
    query_timeout: COMMAND_MS,
    types: readNumbers(pg.types),
  }).setMaxListeners(0)
}

function createQuery(pool: Pool): RunQuery {
  return (text, values) => pool.query(text, [...values])
}

function createSharedQuery(pool: Pool, schema: string): RunQuery {
  const begin = `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL search_path TO ${schema}`

  return async (text, values) => {
    const client = await connect(pool)
    const run = (statement: string, parameters?: unknown[]) =>
      client.query<object, unknown[]>(toQuery(client, statement, parameters))
    let isBroken = true
    try {
      await run(begin)
      const result = await run(text, [...values])
      await run('COMMIT')
      isBroken = false
      return result
    } catch (error) {
      // Without an answer the connection is of no use.
      if ('severity' in Object(error)) isBroken = !(await run('ROLLBACK').catch(ignore))
      throw error
    } finally {
      client.release(isBroken)
    }
  }
}

/** A pool of the user may have no time limits. */
function toQuery(client: PoolClient, text: string, values: unknown[] | undefined): QueryConfig<unknown[]> {
  const limits = { query_timeout: COMMAND_MS }
  return { text, ...(values && { values }), types: readNumbers(client), ...limits }
}

/** A pool does not listen for errors of a client that is in use: one between two statements would end the process. */
async function connect(pool: Pool): Promise<PoolClient> {
  const connecting = pool.connect()
  try {
    const late = () => new Error('The pool has no connection to PostgreSQL.')
    const client = await withTimeout(connecting, COMMAND_MS, late)
    const release = client.release.bind(client)
    client.on('error', ignore)
    client.release = (error) => {
      client.off('error', ignore)
      release(error)
    }
    return client
  } catch (error) {
    connecting.then((client) => client.release(), ignore)
    throw error
  }
}

function createClient(pool: Pool): Client {
  const { Client: PoolClient }: { Client: new (config: object) => Client } = Object(pool)
  const { options } = pool
  const keepAlive = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 }
  // The password is not enumerable.
  return new PoolClient({ ...options, ...('password' in options && { password: options.password }), ...keepAlive })
}

const UNSTORABLE_ESCAPE = /(?<!\\)((?:\\\\)*)\\u(0000|d[89a-f][0-9a-f]{2})/gi

/** PostgreSQL stores no NUL, and in JSON no half of a surrogate pair. `JSON.stringify` escapes both. */
function toStorable(value: unknown): unknown {
  if (typeof value !== 'string' || !(value.includes('\0') || value.includes('\\u'))) return value
  return value
    .replaceAll('\0', '')
    .replace(UNSTORABLE_ESCAPE, (_, before: string, code: string) => (code === '0000' ? before : `${before}\ufffd`))
}

/** The types of results that BullMQ reads. A process may have set other parsers, such as `BigInt`, for all clients. */
const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  20: Number,
  21: Number,
  23: Number,
  114: JSON.parse,
  3802: JSON.parse,
}

function readNumbers(others: CustomTypesConfig): CustomTypesConfig {
  return {
    getTypeParser: (oid: number, format: 'text' | 'binary' = 'text') =>
      (format === 'text' && PARSERS[oid]) || others.getTypeParser(oid, format),
  } as CustomTypesConfig
}
