/** A database of `node:sqlite`, `better-sqlite3` or `libsql`, as far as the store uses it. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  close(): unknown
}

interface SqliteStatement {
  get(values: Values): unknown
  run(values: Values): unknown
}

/** By name: positions and numbers are not the same thing to all of them. */
type Values = Record<string, string | number>

type Constructor = new (file: string) => SqliteDatabase

/** In the order in which they are looked for: what needs no installation comes first. */
const MODULES = ['node:sqlite', 'better-sqlite3', 'libsql']

/** How long a statement waits for another process, which keeps all of this process waiting as well. */
const BUSY_MS = 2000

/**
 * Opens a file for several processes (WAL), such that what was committed outlives a power cut.
 *
 * @throws Error if there is nothing to open it with: says what to install.
 */
export async function openSqlite(file: string): Promise<SqliteDatabase> {
  const Database = await findDatabase()
  const database = new Database(file)
  try {
    database.exec(`pragma busy_timeout = ${BUSY_MS}; pragma journal_mode = wal; pragma synchronous = full`)
  } catch (error) {
    database.close()
    throw error
  }
  return database
}

/** Lets a commit not wait for the disk; the next one that does takes it along. */
export function withoutWaiting<T>(database: SqliteDatabase, work: () => T): T {
  database.exec('pragma synchronous = normal')
  try {
    return work()
  } finally {
    database.exec('pragma synchronous = full')
  }
}

async function findDatabase(): Promise<Constructor> {
  const causes: unknown[] = []
  for (const name of MODULES) {
    try {
      const found = await import(/* @vite-ignore */ name)
      return found.DatabaseSync ?? found.default
    } catch (cause) {
      causes.push(cause)
    }
  }
  throw new Error('SQLite is not there: use Node 22.13 or newer, or install `better-sqlite3` or `libsql`.', {
    cause: new AggregateError(causes),
  })
}
