import type { OpenDatabase, SqliteDatabase } from './database.ts'
import { BUSY_TIMEOUT_MS } from './set-up.ts'

/**
 * Runs the work in a transaction. It fails at once if another process has locked the file, instead of blocking this one:
 * try again later while {@link isLocked}. `BEGIN IMMEDIATE` detects a locked file before any prepared statement does:
 * after such an error libsql would leave the statement unfinished and the connection inside its transaction.
 *
 * @throws whatever the work or the database throws; nothing is changed then. Also if the file is not where it was, or
 * was found to be damaged; then what was written cannot be relied on.
 * @param durability `synced`: waits until it would survive a power cut. `soon`: it survives the end of the process, and
 * a power cut once another transaction is synced, or a checkpoint was made.
 */
export function inTransaction<T>(
  { database, assertSafe }: OpenDatabase,
  work: () => T,
  durability: 'synced' | 'soon' = 'synced',
): T {
  assertSafe()
  const waiting = `PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`
  const synchronous = durability === 'synced' ? 'FULL' : 'NORMAL'
  try {
    database.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; ${waiting}`)
  } catch (error) {
    database.exec(waiting)
    throw error
  }
  const result = finish(database, work, { commit: 'COMMIT; PRAGMA synchronous = FULL', rollBack: 'ROLLBACK' })
  assertSafe()
  return result
}

/** The same with a savepoint, which may be inside a transaction of the user. It waits as the user's database does. */
export function inSavepoint<T>({ database, assertSafe }: OpenDatabase, work: () => T): T {
  assertSafe()
  database.exec('SAVEPOINT hooklayer')
  return finish(database, work, {
    commit: 'RELEASE hooklayer',
    rollBack: 'ROLLBACK TO hooklayer; RELEASE hooklayer',
  })
}

interface End {
  readonly commit: string
  readonly rollBack: string
}

function finish<T>(database: SqliteDatabase, work: () => T, { commit, rollBack }: End): T {
  try {
    const result = work()
    database.exec(commit)
    return result
  } catch (error) {
    // After a full disk SQLite has rolled back already, and this fails.
    try {
      database.exec(rollBack)
    } catch {}
    throw error
  }
}
