import { createRequire } from 'node:module'
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
  const builtin: unknown = process.getBuiltinModule('node:sqlite' as 'node:fs')
  if (builtin) {
    const { DatabaseSync } = builtin as { DatabaseSync: DatabaseClass }
    return { path: undefined, open: (file) => new DatabaseSync(file) }
  }
  const require = createRequire(typeof __filename === 'string' ? __filename : import.meta.url)
  for (const name of ['better-sqlite3', 'libsql']) {
    try {
      const Database: DatabaseClass = require(name)
      const open = (file: string) => new Database(file)
      return { path: require.resolve(name), open: name === 'libsql' ? (file) => closeEntirely(open(file)) : open }
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw error
    }
  }
  throw new Error('There is no SQLite driver: install `better-sqlite3` or `libsql`, or run on Node 22.13 or later.')
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
