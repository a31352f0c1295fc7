import type { SqliteDatabase } from './open.ts'

/**
 * Does all of the work or none of it. That the file is locked is found by `BEGIN IMMEDIATE`, not by a prepared statement: libsql leaves
 * one that did unfinished, and the connection in its transaction for good.
 *
 * @throws what the work or the database has thrown; nothing was changed then.
 */
export function inTransaction<T>(database: SqliteDatabase, work: () => T): T {
  return runBetween(database, work, { begin: 'BEGIN IMMEDIATE', commit: 'COMMIT', rollBack: 'ROLLBACK' })
}

/** The same with a savepoint, which may lie within a transaction of the user's. */
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
    // A full disk rolls back by itself, and there is nothing left to roll back.
    try {
      database.exec(rollBack)
    } catch {}
    throw error
  }
}
