import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { SqliteDatabase, SqliteStatement } from './database.ts'

/** Opens files. */
export interface Driver {
  /** Where the driver is installed; `undefined` for `node:sqlite`. */
  readonly path: string | undefined
  readonly open: (file: string) => SqliteDatabase
}

type DatabaseClass = new (file: string) => SqliteDatabase

/** Synchronous, so that a program without a driver fails at its start. */
export function findDriver(): Driver {
  for (const driver of loadDrivers()) return driver
  throw new Error(
    'There is no SQLite driver: install `better-sqlite3` or `libsql`, or run on Node 22.13 or later. In a bundle, leave hooklayer and the driver out of it, or give `database`, which you have opened.',
  )
}

/** The first driver that takes URIs: only these say that nothing may be written, not even beside the file. */
export function findUriDriver(): Driver {
  for (const driver of loadDrivers()) if (takesUris(driver)) return driver
  throw new Error(
    'There is no SQLite driver that reads a file without writing beside it: install `libsql`, or run on Node 22.15 or later.',
  )
}

/**
 * A bundle stands where nothing is installed, or does not know where it stands: then what the program itself could load
 * is taken.
 */
function* loadDrivers(): Generator<Driver> {
  const builtin: unknown = process.getBuiltinModule('node:sqlite' as 'node:fs')
  if (builtin) {
    const { DatabaseSync } = builtin as { DatabaseSync: DatabaseClass }
    yield { path: undefined, open: (file) => new DatabaseSync(file) }
  }
  const self = typeof __filename === 'string' ? __filename : import.meta.url
  for (const place of [self, `${process.cwd()}/`]) {
    for (const name of ['better-sqlite3', 'libsql']) {
      const found = loadDriver(name, place)
      if (found) yield found
    }
  }
}

/** Without URIs it is a file in a folder `file:` that does not exist, so that nothing is created either. */
function takesUris({ open }: Driver): boolean {
  try {
    open('file:/hooklayer/none?mode=memory').close()
    return true
  } catch {
    return false
  }
}

/** @throws Error if the driver is there and fails, such as one without its binary; its `cause` is the failure. */
function loadDriver(name: string, place: string): Driver | undefined {
  try {
    // Not imported, because webpack replaces an imported `createRequire` by `undefined`.
    const { createRequire } = process.getBuiltinModule('node:module')
    const require = createRequire(place)
    const Database: DatabaseClass = require(name)
    new Database(':memory:').close() // better-sqlite3 loads its binary only now.
    const open = (file: string) => new Database(file)
    return { path: require.resolve(name), open: name === 'libsql' ? (file) => closeEntirely(open(file)) : open }
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

/**
 * libsql closes a file only when all its statements were collected: until then it keeps the descriptors and the `-wal`.
 * So after `close` none may be reachable from here, and they are collected.
 */
function closeEntirely(database: SqliteDatabase): SqliteDatabase {
  const statements = new Set<{ current: SqliteStatement | undefined }>()
  function getOpen({ current }: { readonly current: SqliteStatement | undefined }): SqliteStatement {
    if (!current) throw new Error('The SQLite database is closed.')
    return current
  }
  return {
    exec: (sql) => database.exec(sql),
    prepare(sql): SqliteStatement {
      const held = { current: database.prepare(sql) as SqliteStatement | undefined }
      statements.add(held)
      return {
        run: (...values) => getOpen(held).run(...values),
        get: (...values) => getOpen(held).get(...values),
        all: (...values) => getOpen(held).all(...values),
      }
    },
    close() {
      for (const held of statements) held.current = undefined
      database.close()
      collectGarbage()
    },
  }
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}
