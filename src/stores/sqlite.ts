import type { IdempotencyStore } from '../core/idempotency-store.ts'
import { openSqlite, type SqliteDatabase, withoutWaiting } from './sqlite-database.ts'
import { prepareStatements, type Statements } from './sqlite-statements.ts'

export type { SqliteDatabase }

/**
 * `file`: a path, opened on first use with `node:sqlite` (Node 22.13 or newer), `better-sqlite3` or `libsql`, whichever is there.
 * `database`: one that you have opened with one of these, yours to close; WAL and a busy timeout are then yours to set.
 */
export type SqliteStoreOptions =
  | { readonly file: string; readonly database?: never }
  | { readonly database: SqliteDatabase; readonly file?: never }

export interface SqliteStore extends IdempotencyStore {
  /** Closes the file that the store has opened; leaves a `database` alone. */
  close(): Promise<void>
}

/** One reservation in this many sweeps expired rows first. */
const SWEEP_EVERY = 100

/**
 * Remembers events in a SQLite file, for all processes of one machine, in the tables `hooklayer` and `hooklayer_versions`, which
 * it creates. The clock is the machine's, asked by SQLite 3.42 or newer. What is done or completed outlives a power cut. SQLite is
 * synchronous: for as long as the disk takes, or another process writes (at most 2 s), this process does nothing else.
 *
 * An operation rejects if the file cannot be opened, or if there is nothing to open it with.
 *
 * @throws TypeError if there is neither a `file` nor a `database`.
 */
export function createSqliteStore({ file, database }: SqliteStoreOptions): SqliteStore {
  if (database ? typeof database.prepare !== 'function' : typeof file !== 'string' || file === '') {
    throw new TypeError('There is neither a `file` nor a `database` with a method `prepare`.')
  }
  let opened: Promise<{ database: SqliteDatabase; statements: Statements }> | undefined
  let isClosed = false

  async function open() {
    const own = database ?? (await openSqlite(String(file)))
    try {
      return { database: own, statements: prepareStatements(own) }
    } catch (error) {
      if (!database) own.close()
      throw error
    }
  }

  async function ready() {
    if (isClosed) throw new Error('The SQLite store is closed.')
    opened ??= open()
    try {
      return await opened
    } catch (error) {
      opened = undefined
      throw error
    }
  }

  return {
    async reserve(key, { leaseMs, version }) {
      const { database: own, statements } = await ready()
      if (Math.random() * SWEEP_EVERY < 1) statements.sweep()
      const token = crypto.randomUUID()
      const reserve = () => statements.reserve(key, token, leaseMs)
      // A power cut ends the holder along with the claim; a database of the user's keeps its settings.
      const done = database ? reserve() : withoutWaiting(own, reserve)
      if (!done) return { state: statements.isCompleted(key) ? 'completed' : 'in progress' }
      return { state: 'reserved', token, done, stale: version !== undefined && statements.isStale(version) }
    },
    renew: async (key, token, { leaseMs, done }) => (await ready()).statements.renew(key, token, leaseMs, done),
    complete: async (key, token, { retentionMs, version }) =>
      (await ready()).statements.complete(key, token, retentionMs, version),
    release: async (key, token, { done, retentionMs }) =>
      (await ready()).statements.release(key, token, retentionMs, done),
    async close() {
      isClosed = true
      if (!database) await opened?.then((own) => own.database.close())
    },
  }
}
