import type { IdempotencyStore } from '../core/idempotency/store.ts'
import { openDatabase, type SqliteDatabase, type SqliteLocation } from '../sqlite/open.ts'
import { prepareStatements, type Statements, TABLES } from './sqlite-statements.ts'

export type { SqliteDatabase, SqliteLocation }

/**
 * `file`: a path, opened with `node:sqlite` (Node 22.13 or newer), `better-sqlite3` or `libsql`, whichever is there.
 * `database`: one that you have opened with one of these, yours to close; WAL and a busy timeout are then yours to set.
 */
export type SqliteStoreOptions = SqliteLocation

export interface SqliteStore extends IdempotencyStore {
  /** Closes the file that the store has opened; leaves a `database` alone. */
  close(): Promise<void>
}

/** One reservation in this many sweeps expired rows first. */
const SWEEP_EVERY = 100

/**
 * Remembers events in a SQLite file, for all processes of one machine, in the tables `hooklayer` and `hooklayer_versions`, which
 * it creates at once. The clock is the machine's, asked by SQLite 3.42 or newer. What is done or completed outlives a power cut.
 * SQLite is synchronous: for as long as the disk takes, or another process writes (at most 2 s), this process does nothing else.
 * A file is looked through for damage when it is opened, which takes a second for 400,000 events.
 *
 * @throws TypeError if there is neither a `file` nor a `database`.
 * @throws Error that names the file and what to do, if it cannot be used or there is no driver.
 */
export function createSqliteStore(options: SqliteStoreOptions): SqliteStore {
  const { database, close } = openDatabase(options, TABLES, { keepsSettings: true })
  const statements = prepareStatements(database, !options.database)
  let isClosed = false

  function ready(): Statements {
    if (isClosed) throw new Error('The SQLite store is closed.')
    return statements
  }

  return {
    async reserve(key, { leaseMs, version }) {
      const { reserve, isCompleted, isStale, sweep } = ready()
      if (Math.random() * SWEEP_EVERY < 1) sweep()
      const token = crypto.randomUUID()
      const claim = () => reserve(key, token, leaseMs)
      // A power cut ends the holder along with the claim; a database of the user's keeps its settings.
      const done = options.database ? claim() : withoutWaiting(database, claim)
      if (!done) return { state: isCompleted(key) ? 'completed' : 'in-progress' }
      return { state: 'reserved', token, done, stale: version !== undefined && isStale(version) }
    },
    renew: async (key, token, { leaseMs, done }) => ready().renew(key, token, leaseMs, done),
    complete: async (key, token, { retentionMs, version }) => ready().complete(key, token, retentionMs, version),
    release: async (key, token, { done, retentionMs }) => ready().release(key, token, retentionMs, done),
    async close() {
      if (!isClosed) close()
      isClosed = true
    },
  }
}

/** Lets a commit not wait for the disk; the next one that does takes it along. */
function withoutWaiting<T>(database: SqliteDatabase, work: () => T): T {
  database.exec('PRAGMA synchronous = NORMAL')
  try {
    return work()
  } finally {
    database.exec('PRAGMA synchronous = FULL')
  }
}
