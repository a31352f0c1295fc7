import { createRequire } from 'node:module'

/** What the SQLite drivers of this package need of a database; `node:sqlite`, better-sqlite3 and libsql have it. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  /** A {@link SqliteStatement}: their types differ in what they let one pass. */
  prepare(sql: string): unknown
  close(): unknown
}

/** Parameters are `?`, in their order: named and numbered ones are not the same thing to all of them. */
export interface SqliteStatement {
  /** Changes something. */
  run(...values: readonly SqliteValue[]): {
    readonly changes: number | bigint
    readonly lastInsertRowid: number | bigint
  }
  /** The first row, or nothing. */
  get(...values: readonly SqliteValue[]): unknown
  all(...values: readonly SqliteValue[]): unknown[]
}

type SqliteValue = string | number | bigint | null | Uint8Array

export function prepare(database: SqliteDatabase, sql: string): SqliteStatement {
  return database.prepare(sql) as SqliteStatement
}

/** A file, which is opened and made if it is not there; or a database that is open already, and stays so. */
export type SqliteLocation =
  | { readonly file: string; readonly database?: undefined }
  | { readonly database: SqliteDatabase; readonly file?: undefined }

export interface OpenOptions {
  /** Leaves a database that is open already as it is, but for the tables: it may be in memory, or in a transaction. Default: false. */
  readonly keepsSettings?: boolean
}

export interface OpenDatabase {
  readonly database: SqliteDatabase
  /** Closes the database if it was opened here. */
  readonly close: () => void
}

/** Milliseconds to wait for another process's transaction. The program stands still for as long. */
const BUSY_TIMEOUT_MS = 2000

/**
 * Opens a database so that what was committed survives a power cut (WAL, `synchronous=FULL`) and several processes may share the
 * file. A file is opened with `node:sqlite` where there is one (Node 22.13 and later), else with better-sqlite3 or libsql,
 * whichever is installed; what is damaged is found then and there.
 *
 * @param tables makes the tables that are not there.
 * @throws TypeError if there is neither the path of a file nor a database.
 * @throws Error that names the file and what to do, if it cannot be used; or that there is no driver, and what to install.
 */
export function openDatabase(
  location: SqliteLocation,
  tables: string,
  { keepsSettings = false }: OpenOptions = {},
): OpenDatabase {
  const { file, database: given } = location
  if (given ? typeof given.prepare !== 'function' || typeof given.exec !== 'function' : !isPath(file)) {
    throw new TypeError('SQLite needs `file`, the path of a database, or `database`, one that is open.')
  }
  if (given) {
    if (keepsSettings) given.exec(tables)
    else setUp(given, tables)
    return { database: given, close: () => {} }
  }
  const database = openFile(String(file))
  try {
    setUp(database, tables)
    check(database)
  } catch (cause) {
    database.close()
    throw unusable(String(file), cause)
  }
  return { database, close: () => database.close() }
}

function openFile(file: string): SqliteDatabase {
  const Database = findDatabase()
  try {
    return new Database(file)
  } catch (cause) {
    throw unusable(file, cause)
  }
}

function unusable(file: string, cause: unknown): Error {
  return new Error(
    `The SQLite database ${file} cannot be used. Its folder must exist, be writable, have room and be on a disk of this machine; and the file must be a database that is whole, or not be there yet. If it is damaged, move it away, and have \`sqlite3 <file> .recover\` read what is left of it.`,
    { cause },
  )
}

function isPath(file: unknown): boolean {
  return typeof file === 'string' && file !== '' && file !== ':memory:'
}

function setUp(database: SqliteDatabase, tables: string): void {
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
  const { journal_mode: mode } = retryWhileLocked(() =>
    prepare(database, 'PRAGMA journal_mode = WAL').get(),
  ) as JournalMode
  if (mode !== 'wal')
    throw new Error(
      `The SQLite database must be a file on a disk of this machine: its journal mode is '${mode}', not WAL.`,
    )
  database.exec(`PRAGMA synchronous = FULL; BEGIN IMMEDIATE; ${tables}; COMMIT`)
}

/**
 * What sits in a damaged part of a table or an index may be neither found nor missed any more, so it is looked for. It takes about
 * a second for 2 GB of deliveries or 400,000 events, and other processes do not wait for it.
 */
function check(database: SqliteDatabase): void {
  const names = prepare(
    database,
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'hooklayer*'",
  ).all()
  for (const { name } of names as readonly { readonly name: string }[]) {
    const { integrity_check: found } = prepare(database, `PRAGMA integrity_check("${name}")`).get() as IntegrityCheck
    if (found !== 'ok') throw new Error(`The SQLite database is damaged: ${found}`)
    // Whether it may be written: all there was until now passes on a database that is read-only.
    database.exec(`DELETE FROM "${name}" WHERE false`)
  }
}

interface IntegrityCheck {
  readonly integrity_check: string
}

interface JournalMode {
  readonly journal_mode: string
}

/** Whatever the busy timeout, SQLite does not wait for a process that turns the same file to WAL at that moment. */
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

/** Looked for when it is needed, and at once: a program that has no driver does not start. */
function findDatabase(): DatabaseClass {
  const builtin: unknown = process.getBuiltinModule('node:sqlite' as 'node:fs')
  if (builtin) return (builtin as { DatabaseSync: DatabaseClass }).DatabaseSync
  const require = createRequire(typeof __filename === 'string' ? __filename : import.meta.url)
  for (const name of ['better-sqlite3', 'libsql']) {
    try {
      return require(name)
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw error
    }
  }
  throw new Error('There is no SQLite here: install `better-sqlite3` or `libsql`, or run on Node 22.13 or later.')
}
