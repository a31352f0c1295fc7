import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type BackgroundCheck, checkAccess, checkInBackground, checkNow } from './check.ts'
import { isLocked, type OpenDatabase, prepare, type SqliteDatabase } from './database.ts'
import { type Driver, findDriver } from './driver.ts'
import { createPrivateFile, watchPlace } from './place.ts'
import { openReadOnly } from './read-only.ts'
import { type AddedColumn, setUp } from './set-up.ts'

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
  /** Opens a `file` that exists so that nothing is written, neither in it nor beside it. Default: false. */
  readonly readOnly?: boolean
}

/** Milliseconds to wait for other processes while closing. This process is blocked meanwhile. */
const CLOSING_TIMEOUT_MS = 200

/** A file up to this size is checked before use, whatever happened to it: it takes a few milliseconds. */
const SMALL_FILE_BYTES = 1024 * 1024

/**
 * Opens a database so that commits survive a power cut (WAL, `synchronous = FULL`) and several processes can share the
 * file. A file is opened with `node:sqlite` if there is one (Node 22.13 or later), else with better-sqlite3 or libsql,
 * whichever is installed. One that is created here can be read by its owner only.
 *
 * A file is checked for damage: before use if the last process did not close it, else in the background. So opening does
 * not take longer the larger it is.
 *
 * @param tables SQL that creates the tables which do not exist.
 * @throws TypeError if there is neither the path of a file nor a database.
 * @throws Error that names the file and what to do, if it cannot be used; or that says what to install, if there is no
 * driver.
 */
export function openDatabase(location: SqliteLocation, tables: string, options: OpenOptions = {}): OpenDatabase {
  const { file, database } = location
  if (database ? typeof database.prepare !== 'function' || typeof database.exec !== 'function' : !isPath(file)) {
    throw new TypeError('SQLite needs either `file`, the path of a database, or `database`, an open database.')
  }
  if (database) return useDatabase(database, tables, options)
  const path = resolve(String(file))
  return options.readOnly ? openReadOnly(path, options.addedColumns ?? []) : openFile(path, tables, options)
}

function useDatabase(
  database: SqliteDatabase,
  tables: string,
  { keepsSettings = false, addedColumns = [] }: OpenOptions,
): OpenDatabase {
  if (keepsSettings) database.exec(tables)
  else setUp(database, tables, addedColumns)
  const file = findPath(database)
  return {
    database,
    assertSafe: watchPlace(keepsSettings ? [file] : [file, `${file}-wal`]),
    async close() {
      // It may be closed already.
      if (!keepsSettings) emptyLog(database)
    },
  }
}

function openFile(file: string, tables: string, { addedColumns = [] }: OpenOptions): OpenDatabase {
  const driver = findDriver()
  let database: SqliteDatabase | undefined
  try {
    createPrivateFile(file)
    const assertFile = watchPlace([file])
    const log = statSync(`${realpathSync(file)}-wal`, { throwIfNoEntry: false })
    const isLarge = statSync(file).size + (log?.size ?? 0) > SMALL_FILE_BYTES
    const checksLater = isLarge && !(log?.size && isAlone(driver, file))
    database = driver.open(file)
    setUp(database, tables, addedColumns)
    checkAccess(database)
    if (!checksLater) checkNow(database)
    const assertLog = watchPlace([`${findPath(database)}-wal`])
    const assertPlace = () => {
      assertFile()
      assertLog()
    }
    return guard(database, file, assertPlace, checksLater ? checkInBackground(driver, file) : undefined)
  } catch (cause) {
    database?.close()
    throw unusableFileError(file, cause)
  }
}

function guard(
  database: SqliteDatabase,
  file: string,
  assertPlace: () => void,
  check: BackgroundCheck | undefined,
): OpenDatabase {
  return {
    database,
    assertSafe() {
      assertPlace()
      const damage = check?.damage()
      if (damage) throw unusableFileError(file, damage)
    },
    async close() {
      // What still reads the file would keep the log from being emptied.
      await check?.stop()
      database.exec(`PRAGMA busy_timeout = ${CLOSING_TIMEOUT_MS}`)
      emptyLog(database)
      database.close()
    },
  }
}

/**
 * Whether no process uses the file. If its log is not empty, then the last one did not close it. One that uses it has
 * checked it. Only a connection that is alone gets an exclusive lock.
 */
function isAlone(driver: Driver, file: string): boolean {
  const probe = driver.open(file)
  try {
    probe.exec('PRAGMA locking_mode = EXCLUSIVE; SELECT count(*) FROM sqlite_schema')
    return true
  } catch (error) {
    if (isLocked(error)) return false
    throw error
  } finally {
    probe.close()
  }
}

/** Empty for a database in memory. */
function findPath(database: SqliteDatabase): string {
  const { file } = prepare(database, "SELECT file FROM pragma_database_list WHERE name = 'main'").get() as DatabaseFile
  return file
}

interface DatabaseFile {
  readonly file: string
}

/** While another process reads, the log cannot be emptied. Then that process does it when it closes the database. */
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
