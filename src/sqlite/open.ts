import { closeSync, fchmodSync, openSync } from 'node:fs'

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

export function prepare(database: SqliteDatabase, sql: string): SqliteStatement {
  return database.prepare(sql) as SqliteStatement
}

/** A file, which is opened and created if it does not exist; or an open database, which is never closed here. */
export type SqliteLocation =
  | { readonly file: string; readonly database?: undefined }
  | { readonly database: SqliteDatabase; readonly file?: undefined }

export interface OpenOptions {
  /**
   * Creates only the tables in a given `database` and leaves its settings alone. It may then be in memory or inside a
   * transaction. Default: false.
   */
  readonly keepsSettings?: boolean
  /** Columns that a table of an earlier version lacks. Default: none. */
  readonly addedColumns?: readonly AddedColumn[]
}

interface AddedColumn {
  readonly table: string
  readonly name: string
  readonly type: string
}

export interface OpenDatabase {
  readonly database: SqliteDatabase
  /**
   * Moves all that was written into the file itself, so that no deleted row is left in the write-ahead log. Closes the
   * database if it was opened here.
   */
  readonly close: () => void
}

const OWNER_ONLY = 0o600

/** Milliseconds to wait for another process's transaction. This process is blocked meanwhile. */
const BUSY_TIMEOUT_MS = 2000

/**
 * Opens a database so that commits survive a power cut (WAL, `synchronous = FULL`) and several processes can share the
 * file. A file is opened with `node:sqlite` if there is one (Node 22.13 or later), else with better-sqlite3 or libsql,
 * whichever is installed. A file is checked for damage at once. One that is created here can be read by its owner only.
 *
 * @param tables SQL that creates the tables which do not exist.
 * @throws TypeError if there is neither the path of a file nor a database.
 * @throws Error that names the file and what to do, if it cannot be used; or that says what to install, if there is no
 * driver.
 */
export function openDatabase(
  location: SqliteLocation,
  tables: string,
  { keepsSettings = false, addedColumns = [] }: OpenOptions = {},
): OpenDatabase {
  const { file, database: given } = location
  if (given ? typeof given.prepare !== 'function' || typeof given.exec !== 'function' : !isPath(file)) {
    throw new TypeError('SQLite needs either `file`, the path of a database, or `database`, an open database.')
  }
  if (given) {
    if (keepsSettings) given.exec(tables)
    else setUp(given, tables, addedColumns)
    return { database: given, close: keepsSettings ? () => {} : () => emptyLog(given) }
  }
  const database = openFile(String(file))
  try {
    setUp(database, tables, addedColumns)
    check(database)
  } catch (cause) {
    database.close()
    throw unusableFileError(String(file), cause)
  }
  const close = () => {
    emptyLog(database)
    database.close()
  }
  return { database, close }
}

function openFile(file: string): SqliteDatabase {
  const Database = findDatabase()
  try {
    createPrivateFile(file)
    return new Database(file)
  } catch (cause) {
    throw unusableFileError(file, cause)
  }
}

/**
 * Creates the file for its owner only, whatever the umask. SQLite gives the same mode to the files that it puts beside
 * it. A file that exists is left alone: to open and close it here would end the locks that SQLite has on it.
 */
function createPrivateFile(file: string): void {
  let descriptor: number
  try {
    descriptor = openSync(file, 'wx', OWNER_ONLY)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return
    throw error
  }
  fchmodSync(descriptor, OWNER_ONLY)
  closeSync(descriptor)
}

/**
 * While another process reads, the log cannot be emptied. Then that process does it when it closes the database. A
 * database that was given may be closed already.
 */
function emptyLog(database: SqliteDatabase): void {
  try {
    prepare(database, 'PRAGMA wal_checkpoint(TRUNCATE)').get()
  } catch {}
}

function unusableFileError(file: string, cause: unknown): Error {
  return new Error(
    `The SQLite database ${file} cannot be used. Its folder must exist, be writable, have free space and be on a local disk. The file must be an intact database or not exist yet. If it is damaged, move it away and recover its rows with \`sqlite3 <file> .recover\`.`,
    { cause },
  )
}

function isPath(file: unknown): boolean {
  return typeof file === 'string' && file !== '' && file !== ':memory:'
}

function setUp(database: SqliteDatabase, tables: string, addedColumns: readonly AddedColumn[]): void {
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
  const { journal_mode: mode } = retryWhileLocked(() =>
    prepare(database, 'PRAGMA journal_mode = WAL').get(),
  ) as JournalMode
  if (mode !== 'wal') {
    throw new Error(`The SQLite database must be a file on a local disk: its journal mode is '${mode}', not WAL.`)
  }
  // What is deleted is overwritten. Otherwise bodies would stay in free pages of the file.
  database.exec(`PRAGMA secure_delete = ON; PRAGMA synchronous = FULL; BEGIN IMMEDIATE; ${tables}`)
  try {
    for (const column of addedColumns) addColumn(database, column)
  } finally {
    database.exec('COMMIT')
  }
}

function addColumn(database: SqliteDatabase, { table, name, type }: AddedColumn): void {
  const { found } = prepare(database, 'SELECT count(*) AS found FROM pragma_table_info(?) WHERE name = ?').get(
    table,
    name,
  ) as { readonly found: number }
  if (found === 0) database.exec(`ALTER TABLE ${table} ADD COLUMN ${name} ${type}`)
}

/**
 * Reads all tables and indexes, because rows in a damaged part could disappear without an error. It takes about a
 * second for 2 GB of deliveries or 400,000 events, and does not block other processes.
 */
function check(database: SqliteDatabase): void {
  const names = prepare(
    database,
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'hooklayer*'",
  ).all()
  for (const { name } of names as readonly { readonly name: string }[]) {
    const { integrity_check: found } = prepare(database, `PRAGMA integrity_check("${name}")`).get() as IntegrityCheck
    if (found !== 'ok') throw new Error(`The SQLite database is damaged: ${found}`)
    // Fails on a read-only database, where everything before succeeds.
    database.exec(`DELETE FROM "${name}" WHERE false`)
  }
}

interface IntegrityCheck {
  readonly integrity_check: string
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
      if (!String(error).includes('locked') || performance.now() > end) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}

type DatabaseClass = new (file: string) => SqliteDatabase

/**
 * Synchronous, so that a program without a driver fails at its start. A bundle stands where nothing is installed, or
 * does not know where it stands: then what the program itself could load is taken.
 */
function findDatabase(): DatabaseClass {
  const builtin: unknown = process.getBuiltinModule('node:sqlite' as 'node:fs')
  if (builtin) return (builtin as { DatabaseSync: DatabaseClass }).DatabaseSync
  const self = typeof __filename === 'string' ? __filename : import.meta.url
  for (const place of [self, `${process.cwd()}/`]) {
    for (const name of ['better-sqlite3', 'libsql']) {
      const found = loadDriver(name, place)
      if (found) return found
    }
  }
  throw new Error(
    'There is no SQLite driver: install `better-sqlite3` or `libsql`, or run on Node 22.13 or later. In a bundle, leave hooklayer and the driver out of it, or give `database`, which you have opened.',
  )
}

/** @throws Error if the driver is there and fails, such as one without its binary; its `cause` is the failure. */
function loadDriver(name: string, place: string): DatabaseClass | undefined {
  try {
    // Not imported, because webpack replaces an imported `createRequire` by `undefined`.
    const { createRequire } = process.getBuiltinModule('node:module')
    const Database: DatabaseClass = createRequire(place)(name)
    new Database(':memory:').close() // better-sqlite3 loads its binary only now.
    return Database
  } catch (cause) {
    if (isMissing(name, cause)) return undefined
    throw new Error(`The SQLite driver ${name} is installed and cannot be loaded. The cause says why.`, { cause })
  }
}

/** Whether it is the driver itself that is missing, and not a part of it; or the place is none, in a bundle. */
function isMissing(name: string, error: unknown): boolean {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown }
  if (code === 'ERR_INVALID_ARG_VALUE') return true
  return code === 'MODULE_NOT_FOUND' && String(message).startsWith(`Cannot find module '${name}'`)
}
