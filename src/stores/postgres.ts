import type { IdempotencyStore, Reservation } from '../core/idempotency/store.ts'
import { statementsFor } from './postgres-statements.ts'

/** Whatever sends a statement with `$1`, `$2`, …: a `Pool` or `Client` of `pg`, PGlite, Neon's `Pool`. */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>
}

export interface PostgresStoreOptions {
  /** Yours to close. */
  readonly client: PostgresClient
  /** The table of claims, `name` or `schema.name`; the one of versions is called `{name}_versions`. Default: `hooklayer`. */
  readonly table?: string
}

export interface PostgresStore extends IdempotencyStore {
  /** Creates the tables unless they are there. Any number of processes may do so at once; a schema has to exist. */
  migrate(): Promise<void>
  /** What `migrate` runs, as SQL, for those who keep migrations of their own. */
  readonly schema: string
}

/** One reservation in this many sweeps up to so many expired rows of each table first. */
const SWEEP_EVERY = 100
const SWEEP_ROWS = 500

/**
 * Remembers events in PostgreSQL 12 or newer, for any number of processes. Each operation is one statement, and the clock is
 * the server's (`clock_timestamp()`). Keys are text without `\0`, of up to 2 KB. Expired rows are swept by the way, by one
 * reservation in a hundred.
 *
 * A client within a transaction of yours will do as well: what was reserved and completed with it is committed with the rest,
 * or rolled back, as if the event had never come. Until then another `reserve` of the same key waits, so keep such transactions
 * short. A statement that fails ends the transaction, as ever.
 *
 * @throws TypeError if `client` has no `query`, or `table` is no name.
 */
export function createPostgresStore({ client, table = 'hooklayer' }: PostgresStoreOptions): PostgresStore {
  if (typeof client?.query !== 'function') throw new TypeError('`client` has no method `query`.')
  const statements = statementsFor(table)
  const isHeld = async (text: string, values: unknown[]) => (await client.query(text, values)).rows.length > 0

  return {
    schema: statements.schema,
    async migrate() {
      await client.query(statements.migrate)
    },
    async reserve(key, { leaseMs, version }) {
      if (Math.random() * SWEEP_EVERY < 1) await client.query(statements.sweep, [SWEEP_ROWS])
      const token = crypto.randomUUID()
      const values = [key, token, leaseMs, version?.resource ?? null, version?.updatedAt ?? null]
      const { rows } = await client.query(statements.reserve, values)
      return reservation(rows[0] as ReservedRow, token)
    },
    renew: (key, token, { leaseMs, done }) => isHeld(statements.renew, [key, token, leaseMs, setOf(done)]),
    complete: (key, token, { retentionMs, version }) =>
      isHeld(statements.complete, [key, token, retentionMs, version?.resource ?? null, version?.updatedAt ?? null]),
    release: (key, token, { done, retentionMs }) => isHeld(statements.release, [key, token, retentionMs, setOf(done)]),
  }
}

interface ReservedRow {
  /** A set as JSON; null if the claim is another's. */
  readonly done: string | null
  readonly completed: boolean
  readonly stale: boolean
}

function reservation({ done, completed, stale }: ReservedRow, token: string): Reservation {
  if (done !== null) return { state: 'reserved', token, done: Object.keys(JSON.parse(done)), stale }
  return { state: completed ? 'completed' : 'in-progress' }
}

/** As the keys of an object, for which a union is `||`. */
function setOf(names: readonly string[]): string {
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, 1])))
}
