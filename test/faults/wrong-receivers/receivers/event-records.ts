import { join } from 'node:path'
import Database from 'libsql'
import type { Order } from './shop.ts'

/** After this time the reservation of a killed process may be taken over. */
const LEASE_MS = 2000

const TABLES = `
PRAGMA busy_timeout = 2000;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS reservations (key TEXT PRIMARY KEY, until INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS done (key TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS versions (id TEXT PRIMARY KEY, updated_at TEXT NOT NULL)`

/** The events that a shop has handled, in SQLite, for all of its processes. */
export interface EventRecords {
  /** Reserves an event for this process, in one statement. */
  reserve(key: string): 'reserved' | 'in-progress' | 'completed'
  release(key: string): void
  /** Runs an action and records it, unless it is recorded already. */
  once(key: string, act: () => Promise<void>): Promise<void>
  isDone(key: string): boolean
  setDone(key: string): void
  /** Whether a newer version of the order was handled. */
  isStale(order: Order): boolean
  recordVersion(order: Order): void
}

/** SQLite does not wait while another process switches the file to WAL: two may start at once. */
function createTables(database: InstanceType<typeof Database>): void {
  for (const end = performance.now() + LEASE_MS; ; ) {
    try {
      database.exec(TABLES)
      return
    } catch (error) {
      if (performance.now() > end) throw error
    }
  }
}

export function openRecords(): EventRecords {
  const database = new Database(join(process.env.WORLD ?? '', 'records.db'))
  createTables(database)
  const reserve = database.prepare(
    'INSERT INTO reservations VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET until = excluded.until WHERE until < ?',
  )
  const release = database.prepare('DELETE FROM reservations WHERE key = ?')
  const done = database.prepare('SELECT 1 FROM done WHERE key = ?')
  const setDone = database.prepare('INSERT OR IGNORE INTO done VALUES (?)')
  const newer = database.prepare('SELECT 1 FROM versions WHERE id = ? AND updated_at > ?')
  const recordVersion = database.prepare(
    'INSERT INTO versions VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET updated_at = max(updated_at, excluded.updated_at)',
  )
  const isDone = (key: string) => done.get(key) !== undefined
  return {
    reserve(key) {
      const isReserved = reserve.run(key, Date.now() + LEASE_MS, Date.now()).changes === 1
      if (isDone(key)) return 'completed'
      return isReserved ? 'reserved' : 'in-progress'
    },
    release: (key) => void release.run(key),
    async once(key, act) {
      if (isDone(key)) return
      await act()
      setDone.run(key)
    },
    isDone,
    setDone: (key) => void setDone.run(key),
    isStale: ({ id, updatedAt }) => newer.get(id, updatedAt) !== undefined,
    recordVersion: ({ id, updatedAt }) => void recordVersion.run(id, updatedAt),
  }
}
