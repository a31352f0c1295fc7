import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { prepare, type SqliteDatabase } from '../../src/sqlite/database.ts'
import { openDatabase } from '../../src/sqlite/open.ts'

/** The path of a database in a temporary folder, which is removed when the test has finished. */
export function createFile(name = 'hooklayer.db'): string {
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-sqlite-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, name)
}

/** Another connection, as that of another process. */
export function connect(file: string): SqliteDatabase {
  const { database, close } = openDatabase({ file }, '')
  onTestFinished(() => close().catch(() => {}))
  return database
}

/** Adds open deliveries of twenty topics, without bodies. */
export function addRows(database: SqliteDatabase, count: number, name = 'row'): void {
  prepare(
    database,
    `INSERT INTO hooklayer_deliveries (id, topic, received_at, state, due_at)
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
    SELECT ? || n, 'orders.t' || (n % 20), n, 0, n FROM numbers`,
  ).run(count, `${name}-`)
}

/** The shortest of several runs, in milliseconds. */
export async function measure(times: number, run: () => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let at = 0; at < times; at += 1) {
    const began = performance.now()
    await run()
    best = Math.min(best, performance.now() - began)
  }
  return best
}
