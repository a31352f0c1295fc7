import { checkOptions } from '../core/check-options.ts'
import type { IdempotencyStore } from '../core/idempotency/store.ts'
import { openDatabase, type SqliteDatabase, type SqliteLocation } from '../sqlite/open.ts'
import { createStoppedLeases, createToken } from './sqlite-leases.ts'
import { createTransactions, TABLES, type Transactions } from './sqlite-transactions.ts'

export type { SqliteDatabase, SqliteLocation }

/**
 * Options of {@link createSqliteStore}: either `file`, a path, or `database`, one that you have opened with
 * `node:sqlite`, better-sqlite3 or libsql. A `database` stays yours to close and to configure (WAL, busy timeout).
 */
export type SqliteStoreOptions = SqliteLocation

export interface SqliteStore extends IdempotencyStore {
  /** Closes the file that the store has opened. A `database` stays open. */
  close(): Promise<void>
}

/** One `reserve` in this many first deletes expired rows. */
const SWEEP_EVERY = 100

/**
 * An idempotency store in a SQLite file, for all processes of one machine. Handled events survive a power cut.
 *
 * - `file`: the path of a database on a local disk, created if it does not exist. It is opened with `node:sqlite` (Node
 *   22.13 or later), better-sqlite3 or libsql, whichever is available. It is checked for damage, which takes a second
 *   for 400,000 events.
 * - `database`: an open database instead, with SQLite 3.42 or newer. It may be inside a transaction of yours.
 *
 * It creates the tables `hooklayer` and `hooklayer_versions`, and uses the clock of the machine. When that is set back,
 * a lease that a killed process left ends after its length all the same. SQLite is synchronous: the process blocks while
 * the disk writes, and for up to 2 s while another process writes.
 *
 * @throws TypeError if there is neither `file` nor `database`.
 * @throws Error that names the file and what to do, if the file cannot be used or no SQLite driver is installed.
 * @example
 * const store = createSqliteStore({ file: 'events.db' })
 * const receiver = createReceiver({ secrets, idempotency: { store } })
 * @see docs/reliability.md
 */
export function createSqliteStore(options: SqliteStoreOptions): SqliteStore {
  checkOptions('createSqliteStore', options, {}, ['file', 'database'])
  const { database, close } = openDatabase(options, TABLES, { keepsSettings: true })
  const transactions = createTransactions(database, !options.database)
  const stoppedLeases = createStoppedLeases()
  let isClosed = false

  function getOpen(): Transactions {
    if (isClosed) throw new Error('The SQLite store is closed.')
    return transactions
  }

  return {
    async reserve(key, { leaseMs, version, names = [] }) {
      const { reserve, isStale, sweep } = getOpen()
      if (Math.random() * SWEEP_EVERY < 1) sweep()
      const token = createToken(leaseMs)
      const attempt = () => reserve(key, token, leaseMs, names, stoppedLeases.overAt(key))
      // A reservation may be lost in a power cut, because its holder dies with it. A `database` of the user keeps its
      // settings.
      const found = options.database ? attempt() : withoutSync(database, attempt)
      const isReserved = 'done' in found
      stoppedLeases.note(key, isReserved ? undefined : found)
      if (isReserved) return { state: 'reserved', token, ...found, stale: !!version && isStale(version) }
      return { state: found.isCompleted ? 'completed' : 'in-progress' }
    },
    renew: async (key, token, { leaseMs, done }) => getOpen().renew(key, token, leaseMs, done),
    complete: async (key, token, completion) => getOpen().complete(key, token, completion),
    release: async (key, token, { done, retentionMs }) => getOpen().release(key, token, retentionMs, done),
    async close() {
      if (!isClosed) close()
      isClosed = true
    },
  }
}

/** Commits without waiting for the disk. The next commit that waits writes this one too. */
function withoutSync<T>(database: SqliteDatabase, work: () => T): T {
  database.exec('PRAGMA synchronous = NORMAL')
  try {
    return work()
  } finally {
    database.exec('PRAGMA synchronous = FULL')
  }
}
