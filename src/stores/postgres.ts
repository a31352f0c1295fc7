import { checkMethods, checkOptions } from '../core/check-options.ts'
import { pause } from '../core/deadline.ts'
import type { ErasableStore, Reservation } from '../core/idempotency/store.ts'
import { checkResourceName } from '../core/idempotency/stored-resource.ts'
import { readDoneNames, writeDoneNames } from './done-names.ts'
import { buildStatements } from './postgres-statements.ts'

/**
 * A client that runs a statement with `$1`, `$2`, …: a `Pool` of `pg`, PGlite, Neon's `Pool`. A single `Client` of `pg`
 * is for one transaction of yours: it runs one statement at a time and does not connect again.
 */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>
}

export interface PostgresStoreOptions {
  /** The client. It stays yours to close. */
  readonly client: PostgresClient
  /**
   * The table of events, `name` or `schema.name`. The tables `{name}_versions` and `{name}_failures` belong
   * to it. Give each service a table of its own. Default: `hooklayer`.
   */
  readonly table?: string | undefined
}

export interface PostgresStore extends ErasableStore {
  /** Creates the tables that do not exist. Any number of processes may call it at once. The schema must exist. */
  migrate(): Promise<void>
  /** The SQL that `migrate` runs, for migrations of your own. */
  readonly schema: string
}

/** One `reserve` in `SWEEP_EVERY` first deletes up to `SWEEP_ROWS` expired rows of each table. */
const SWEEP_EVERY = 100
const SWEEP_ROWS = 500

/**
 * An idempotency store in PostgreSQL 12 or newer, for any number of processes. Each operation is one statement and uses
 * the server's clock (`clock_timestamp()`).
 *
 * - `client`: a `Pool`, or anything with `query(text, values)`. Call `migrate()` once before the first delivery.
 * - `table` (default: `hooklayer`): `name` or `schema.name`, one for each service.
 *
 * Keys are text of up to 2 KB. A statement that PostgreSQL could not serialize, or ended because of a deadlock, is run
 * again, up to three times. Expired rows are deleted by one `reserve` in a hundred.
 *
 * The client may be inside a transaction of yours: the reservation is then committed or rolled back together with your
 * changes. Until the end of the transaction, another `reserve` of the same key waits.
 *
 * @throws TypeError if `client` has no method `query`, or `table` is not a valid name.
 * @example
 * const store = createPostgresStore({ client: new Pool({ connectionString: process.env.DATABASE_URL }) })
 * await store.migrate()
 * const receiver = createReceiver({ secrets, idempotency: { store } })
 * @see docs/reliability.md
 */
export function createPostgresStore(options: PostgresStoreOptions): PostgresStore {
  checkOptions('createPostgresStore', options, {}, ['client', 'table'])
  const { client, table = 'hooklayer' } = options
  checkMethods('client', client, ['query'])
  const statements = buildStatements(table)
  const query = (text: string, values: unknown[]) => retryOnConflict(() => client.query(text, values.map(withoutNul)))
  let canCount: Promise<boolean> | undefined
  const isHeld = async (text: string, values: unknown[]) => (await query(text, values)).rows.length > 0

  return {
    schema: statements.schema,
    async migrate() {
      await client.query(statements.migrate)
    },
    async reserve(key, { leaseMs, version, names = [] }) {
      if (Math.random() * SWEEP_EVERY < 1) await query(statements.sweep, [SWEEP_ROWS])
      const token = crypto.randomUUID()
      const values = [key, token, leaseMs, version?.resource ?? null, version?.updatedAt ?? null, writeDoneNames(names)]
      const { rows } = await query(statements.reserve, values)
      return toReservation(rows[0] as ReservedRow, token)
    },
    renew: (key, token, { leaseMs, done }) => isHeld(statements.renew, [key, token, leaseMs, writeDoneNames(done)]),
    complete: (key, token, { retentionMs, version, done }) => {
      const values = [key, token, retentionMs, version?.resource ?? null, version?.updatedAt ?? null]
      return isHeld(statements.complete, [...values, done ? writeDoneNames(done) : null])
    },
    release: (key, token, { done, retentionMs }) =>
      isHeld(statements.release, [key, token, retentionMs, writeDoneNames(done)]),
    async countFailures(topic, change) {
      // A statement on a table that is missing would end a transaction of the user.
      canCount ??= query(statements.canCount, []).then(({ rows }) => (rows[0] as { can_count: boolean }).can_count)
      if (!(await canCount)) throw new Error('The table of failures is missing. Call `migrate()` once.')
      const { rows } = await query(statements.countFailures[change], [topic])
      return (rows[0] as { failures: number } | undefined)?.failures ?? 0
    },
    async erase(resource) {
      return { versions: (await query(statements.erase, [checkResourceName(resource)])).rows.length }
    },
  }
}

/** PostgreSQL cannot store NUL, which a key of the user may hold. */
function withoutNul(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\u2400') : value
}

/** `serialization_failure` and `deadlock_detected`: the statement has changed nothing. */
const CONFLICTS: readonly unknown[] = ['40001', '40P01']
const IN_FAILED_TRANSACTION = '25P02'

/** Statements that meet once would meet again: each waits for a random part of this before it is run again. */
const RETRY_WITHIN_MS = [5, 20, 80]

/** Runs a statement again after a conflict. In a transaction of the user only the user can do so. */
async function retryOnConflict<T>(run: () => Promise<T>): Promise<T> {
  let conflict: unknown
  for (const ms of RETRY_WITHIN_MS) {
    try {
      return await run()
    } catch (error) {
      if (conflict && codeOf(error) === IN_FAILED_TRANSACTION) throw conflict
      if (!CONFLICTS.includes(codeOf(error))) throw error
      conflict = error
    }
    await pause(Math.random() * ms)
  }
  return run()
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code
}

interface ReservedRow {
  /** Names as JSON; null if the key was not reserved. */
  readonly done: string | null
  readonly was_completed: boolean | null
  readonly completed: boolean
  readonly stale: boolean
}

function toReservation(row: ReservedRow, token: string): Reservation {
  const { done, completed, stale } = row
  const wasCompleted = row.was_completed === true
  if (done !== null) return { state: 'reserved', token, done: readDoneNames(done), stale, wasCompleted }
  return { state: completed ? 'completed' : 'in-progress' }
}
