import { isLocked, prepare, type SqliteDatabase } from './database.ts'

export interface AddedColumn {
  readonly table: string
  readonly name: string
  readonly type: string
}

/** Milliseconds to wait for another process's transaction. This process is blocked meanwhile. */
export const BUSY_TIMEOUT_MS = 2000

/** The bytes to which the write-ahead log shrinks after another process has read for long. */
const LOG_BYTES = 8 * 1024 * 1024

/** Sets a database to WAL and `synchronous = FULL`, and creates the tables and columns that do not exist. */
export function setUp(database: SqliteDatabase, tables: string, addedColumns: readonly AddedColumn[]): void {
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
  const { journal_mode: mode } = retryWhileLocked(() =>
    prepare(database, 'PRAGMA journal_mode = WAL').get(),
  ) as JournalMode
  if (mode !== 'wal') {
    throw new Error(`The SQLite database must be a file on a local disk: its journal mode is '${mode}', not WAL.`)
  }
  // What is deleted is overwritten. Otherwise bodies would stay in free pages of the file.
  database.exec(
    `PRAGMA secure_delete = ON; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${LOG_BYTES}; BEGIN IMMEDIATE; ${tables}`,
  )
  try {
    for (const column of addedColumns) addColumn(database, column)
  } finally {
    database.exec('COMMIT')
  }
}

function addColumn(database: SqliteDatabase, column: AddedColumn): void {
  const { table, name, type } = column
  if (!hasColumn(database, column)) database.exec(`ALTER TABLE ${table} ADD COLUMN ${name} ${type}`)
}

/** False if there is no such table, too. */
export function hasColumn(database: SqliteDatabase, { table, name }: AddedColumn): boolean {
  const { found } = prepare(database, 'SELECT count(*) AS found FROM pragma_table_info(?) WHERE name = ?').get(
    table,
    name,
  ) as { readonly found: number | bigint }
  return Number(found) > 0
}

interface JournalMode {
  readonly journal_mode: string
}

/** SQLite ignores the busy timeout while another process switches the same file to WAL. */
function retryWhileLocked<T>(act: () => T): T {
  const end = performance.now() + BUSY_TIMEOUT_MS
  for (;;) {
    try {
      return act()
    } catch (error) {
      if (!isLocked(error) || performance.now() > end) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}
