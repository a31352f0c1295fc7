import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { type OpenDatabase, prepare, type SqliteDatabase, type SqliteStatement } from './database.ts'
import { type Driver, findUriDriver } from './driver.ts'
import { type AddedColumn, BUSY_TIMEOUT_MS, hasColumn } from './set-up.ts'

/**
 * Opens a file that exists so that nothing is written: not in it, and no `-wal` or `-shm` beside it. It may belong to
 * another user, and other processes may write to it meanwhile. It is not checked for damage.
 *
 * @param columns what the tables must have.
 * @throws Error that names the file and what to do. Its `cause` says what the system or SQLite has said.
 */
export function openReadOnly(file: string, columns: readonly AddedColumn[]): OpenDatabase {
  const { open } = findUriDriver()
  let database: SqliteDatabase | undefined
  try {
    accessSync(file, constants.R_OK)
    database = openAsItIs(realpathSync(file), open)
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
    for (const column of columns) if (!hasColumn(database, column)) throw new MissingTableError(file)
    return withoutWriting(database, file)
  } catch (cause) {
    database?.close()
    if (cause instanceof MissingTableError) throw cause
    throw new Error(
      `The SQLite database ${file} cannot be read. It must be an intact database that exists. If it has a \`-wal\` beside it, it also needs the \`-shm\`.`,
      { cause },
    )
  }
}

/**
 * With a `-wal` the file may be in use: the newest changes are in it, and its `-shm` must be read too. Without one no
 * other process has the file open, so it is read alone. SQLite would create both otherwise.
 */
function openAsItIs(file: string, open: Driver['open']): SqliteDatabase {
  const uri = pathToFileURL(file).href
  if (statSync(`${file}-wal`, { throwIfNoEntry: false })) return open(`${uri}?mode=ro&readonly_shm=1`)
  return assertUnchanged(open(`${uri}?mode=ro&immutable=1`), file)
}

/** What is read is right only if no other process has changed the file since it was opened: nothing was locked. */
function assertUnchanged(database: SqliteDatabase, file: string): SqliteDatabase {
  const before = describe(file)
  function check<T>(result: T): T {
    if (describe(file) === before) return result
    throw new Error(`Another process has opened the SQLite database ${file} while it was read. Try again.`)
  }
  return {
    exec: (sql) => database.exec(sql),
    prepare(sql): SqliteStatement {
      const statement = prepare(database, sql)
      return {
        run: (...values) => statement.run(...values),
        get: (...values) => check(statement.get(...values)),
        all: (...values) => check(statement.all(...values)),
      }
    },
    close: () => database.close(),
  }
}

function describe(file: string): string {
  const { ino, size, mtimeNs } = statSync(file, { bigint: true })
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false })
  return `${ino} ${size} ${mtimeNs} ${log?.ino}`
}

function withoutWriting(database: SqliteDatabase, file: string): OpenDatabase {
  return {
    database,
    assertSafe() {
      throw new Error(`The SQLite database ${file} was opened with \`readOnly\`, so nothing is written.`)
    },
    async close() {
      database.close()
    },
  }
}

class MissingTableError extends Error {
  constructor(file: string) {
    super(
      `The SQLite database ${file} has no tables of this kind, or those of an earlier version. Open it once without \`readOnly\`, which creates what is missing.`,
    )
  }
}
