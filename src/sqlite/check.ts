import { Worker } from 'node:worker_threads'
import { prepare, type SqliteDatabase } from './database.ts'
import type { Driver } from './driver.ts'

/** Milliseconds. A process that ends sooner, such as a command, does not start the check. */
const CHECK_AFTER_MS = 1000

const NAMES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'hooklayer*'"

/**
 * Reads all tables and indexes, because rows in a damaged part could disappear without an error. It takes about a
 * second for 2 GB of deliveries or 400,000 events, and does not block other processes.
 *
 * @throws Error if something is damaged.
 */
export function checkNow(database: SqliteDatabase): void {
  for (const name of listTables(database)) {
    const { integrity_check: found } = prepare(database, `PRAGMA integrity_check("${name}")`).get() as IntegrityCheck
    if (found !== 'ok') throw new Error(damaged(found))
  }
}

/** Fails on a read-only database, where everything before succeeds, and reads the first pages of each table. */
export function checkAccess(database: SqliteDatabase): void {
  for (const name of listTables(database)) {
    prepare(database, `SELECT 1 FROM "${name}" LIMIT 1`).get()
    database.exec(`DELETE FROM "${name}" WHERE false`)
  }
}

export interface BackgroundCheck {
  /** What is damaged; `undefined` as long as nothing was found. */
  readonly damage: () => Error | undefined
  /** Resolves once the file is not read any more. */
  readonly stop: () => Promise<unknown>
}

/**
 * The same in a thread with a connection of its own, so that the process goes on meanwhile. Where no thread may be
 * started, nothing is checked.
 */
export function checkInBackground(driver: Driver, file: string): BackgroundCheck {
  let damage: Error | undefined
  let thread: Worker | undefined
  const start = setTimeout(() => {
    try {
      thread = startThread({ driver: driver.path, file, names: NAMES })
    } catch {
      return
    }
    thread.on('message', (found) => {
      damage = new Error(damaged(String(found)))
    })
    // A thread that fails for another reason, such as too little memory, says nothing about the file.
    thread.on('error', () => {}).unref()
  }, CHECK_AFTER_MS)
  start.unref()
  return {
    damage: () => damage,
    async stop() {
      clearTimeout(start)
      await thread?.terminate()
    },
  }
}

/** Text, because a bundler would not find a file. It posts what it finds. */
const SCRIPT = `
const { parentPort, workerData: { driver, file, names } } = require('node:worker_threads')
const Database = driver ? require(driver) : require('node:sqlite').DatabaseSync
const database = new Database(file)
database.exec('PRAGMA busy_timeout = 60000')
try {
  for (const { name } of database.prepare(names).all()) {
    const { integrity_check: found } = database.prepare('PRAGMA integrity_check("' + name + '")').get()
    if (found !== 'ok') parentPort.postMessage(found)
  }
} catch (error) {
  if (/malformed|not a database/.test(error.message)) parentPort.postMessage(error.message)
}
database.close()`

function startThread(workerData: unknown): Worker {
  return new Worker(SCRIPT, { eval: true, workerData, execArgv: [], stdout: true, stderr: true })
}

function listTables(database: SqliteDatabase): string[] {
  return (prepare(database, NAMES).all() as readonly { readonly name: string }[]).map(({ name }) => name)
}

function damaged(found: string): string {
  return `The SQLite database is damaged: ${found}`
}

interface IntegrityCheck {
  readonly integrity_check: string
}
