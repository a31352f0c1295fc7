import type { SqliteDatabase } from './open.ts'

/**
 * Runs the work in a transaction. `BEGIN IMMEDIATE` detects a locked file before any prepared statement does: after
 * such an error libsql would leave the statement unfinished and the connection inside its transaction.
 *
 * @throws whatever the work or the database throws; nothing is changed then.
 */
export function inTransaction<T>(database: SqliteDatabase, work: () => T): T {
  return runBetween(database, work, { begin: 'BEGIN IMMEDIATE', commit: 'COMMIT', rollBack: 'ROLLBACK' })
}

/** The same with a savepoint, which may be inside a transaction of the user. */
export function inSavepoint<T>(database: SqliteDatabase, work: () => T): T {
  return runBetween(database, work, {
    begin: 'SAVEPOINT hooklayer',
    commit: 'RELEASE hooklayer',
    rollBack: 'ROLLBACK TO hooklayer; RELEASE hooklayer',
  })
}

interface Bounds {
  readonly begin: string
  readonly commit: string
  readonly rollBack: string
}

function runBetween<T>(database: SqliteDatabase, work: () => T, { begin, commit, rollBack }: Bounds): T {
  database.exec(begin)
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
