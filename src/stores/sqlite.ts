import { checkOptions } from '../core/check-options.ts'
import type { ErasableStore } from '../core/idempotency/store.ts'
import { checkResourceName } from '../core/idempotency/stored-resource.ts'
import { isLocked, LOCK_RETRY_MS, LOCK_WAIT_MS, type SqliteDatabase } from '../sqlite/database.ts'
import { openDatabase, type SqliteLocation } from '../sqlite/open.ts'
import { createStoppedLeases, createToken } from './sqlite-leases.ts'
import { createTransactions, TABLES, type Transactions } from './sqlite-transactions.ts'

export type { SqliteDatabase, SqliteLocation }

/**
 * Options of {@link createSqliteStore}: either `file`, a path, or `database`, one that you have opened with
 * `node:sqlite`, better-sqlite3 or libsql. A `database` stays yours to close and to configure (WAL, busy timeout).
 */
export type SqliteStoreOptions = SqliteLocation

export interface SqliteStore extends ErasableStore {
  /** Closes the file that the store has opened. A `database` stays open. */
  close(): Promise<void>
}

/** One `reserve` in this many first deletes expired rows. */
const SWEEP_EVERY = 100

/**
 * An idempotency store in a SQLite file, for all processes of one machine. Handled events survive a power cut.
 *
 * - `file`: the path of a database on a local disk, created if it does not exist. It is opened with `node:sqlite` (Node
 *   22.13 or later), better-sqlite3 or libsql, whichever is available. It is checked for damage: in the background, or
 *   before use if the last process did not close it.
 * - `database`: an open database instead, with SQLite 3.42 or newer. It may be inside a transaction of yours.
 *
 * It creates the tables `hooklayer`, `hooklayer_versions` and `hooklayer_failures`, and uses the clock of the machine.
 * When that is set back, a lease that a killed process left ends after its length all the same. SQLite is synchronous:
 * the process blocks while the disk writes. While another process has locked the file, operations wait for up to 4 s
 * without blocking. They are rejected once the file was deleted or replaced, or was found to be damaged.
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
  const opened = openDatabase(options, TABLES, { keepsSettings: true })
  const isOwn = !options.database
  const transactions = createTransactions(opened, isOwn)
  const stoppedLeases = createStoppedLeases()
  let closed: Promise<void> | undefined

  async function run<T>(act: (transactions: Transactions) => T): Promise<T> {
    const attempt = () => {
      if (closed) throw new Error('The SQLite store is closed.')
      return act(transactions)
    }
    // A `database` waits as its owner has set it, and may be inside a transaction of theirs.
    return isOwn ? retryWhileLocked(attempt) : attempt()
  }

  return {
    async reserve(key, { leaseMs, version, names = [] }) {
      if (Math.random() * SWEEP_EVERY < 1) await run(({ sweep }) => sweep())
      const token = createToken(leaseMs)
      return run(({ reserve, isStale }) => {
        const found = reserve(key, token, leaseMs, names, stoppedLeases.overAt(key))
        const isReserved = 'done' in found
        stoppedLeases.note(key, isReserved ? undefined : found)
        if (isReserved) return { state: 'reserved', token, ...found, stale: !!version && isStale(version) }
        return { state: found.isCompleted ? 'completed' : 'in-progress' }
      })
    },
    renew: (key, token, { leaseMs, done }) => run(({ renew }) => renew(key, token, leaseMs, done)),
    complete: (key, token, completion) => run(({ complete }) => complete(key, token, completion)),
    release: (key, token, { done, retentionMs }) => run(({ release }) => release(key, token, retentionMs, done)),
    countFailures: (topic, change) => run((transactions) => transactions.countFailures(topic, change)),
    async erase(resource) {
      const name = checkResourceName(resource)
      return { versions: await run(({ erase }) => erase(name)) }
    },
    close() {
      closed ??= opened.close()
      return closed
    },
  }
}

/** Waits for another process's transaction without blocking this one. */
async function retryWhileLocked<T>(attempt: () => T): Promise<T> {
  const end = performance.now() + LOCK_WAIT_MS
  for (;;) {
    try {
      return attempt()
    } catch (error) {
      if (!isLocked(error) || performance.now() > end) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS))
  }
}
