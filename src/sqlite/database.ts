/** The part of a SQLite database that this package uses; `node:sqlite`, better-sqlite3 and libsql provide it. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  /** Returns a {@link SqliteStatement}. It is typed `unknown` because the drivers' types differ in their parameters. */
  prepare(sql: string): unknown
  close(): unknown
}

/**
 * A prepared statement. Parameters are `?` in their order, because the drivers treat named and numbered ones
 * differently.
 */
export interface SqliteStatement {
  /** Runs a statement that changes rows. */
  run(...values: readonly SqliteValue[]): {
    readonly changes: number | bigint
    readonly lastInsertRowid: number | bigint
  }
  /** The first row; `undefined` if there is none. */
  get(...values: readonly SqliteValue[]): unknown
  /** All rows. */
  all(...values: readonly SqliteValue[]): unknown[]
}

type SqliteValue = string | number | bigint | null | Uint8Array

export interface OpenDatabase {
  readonly database: SqliteDatabase
  /** Throws if what is written now could be lost: the file was deleted, replaced, or found to be damaged. */
  readonly assertSafe: () => void
  /**
   * Moves all that was written into the file itself, so that it can be copied alone, and no deleted row is left in the
   * write-ahead log. Closes the database if it was opened here. One that is read-only is only closed.
   */
  readonly close: () => Promise<void>
}

export function prepare(database: SqliteDatabase, sql: string): SqliteStatement {
  return database.prepare(sql) as SqliteStatement
}

/** How long a locked file is waited for: the same as the default of `deadlineMs`. Nobody waits for longer. */
export const LOCK_WAIT_MS = 4000
/** How often a locked file is tried. */
export const LOCK_RETRY_MS = 20

/** Whether another connection has a lock on the file that this one needs. The drivers have no other sign in common. */
export function isLocked(error: unknown): boolean {
  return String(error).includes('is locked')
}
