import { join } from 'node:path'
import Database from 'libsql'
import type { Order } from './shop.ts'

/** After this a claim of a process that was killed is anybody's. */
const LEASE_MS = 2000

const TABLES = `
PRAGMA busy_timeout = 2000;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS claims (key TEXT PRIMARY KEY, until INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS done (key TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS versions (id TEXT PRIMARY KEY, updated_at TEXT NOT NULL)`

/** What a shop has done, in SQLite, for all of its processes. */
export interface Ledger {
  /** Claims an event for this process, in one statement. */
  claim(key: string): 'mine' | 'taken' | 'done'
  release(key: string): void
  /** Does something and remembers it, unless it is remembered already. */
  once(key: string, act: () => Promise<void>): Promise<void>
  isDone(key: string): boolean
  setDone(key: string): void
  /** Whether a newer version of the order was seen. */
  isStale(order: Order): boolean
  see(order: Order): void
}

export function openLedger(): Ledger {
  const database = new Database(join(process.env.WORLD ?? '', 'ledger.db'))
  database.exec(TABLES)
  const claim = database.prepare(
    'INSERT INTO claims VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET until = excluded.until WHERE until < ?',
  )
  const release = database.prepare('DELETE FROM claims WHERE key = ?')
  const done = database.prepare('SELECT 1 FROM done WHERE key = ?')
  const setDone = database.prepare('INSERT OR IGNORE INTO done VALUES (?)')
  const newer = database.prepare('SELECT 1 FROM versions WHERE id = ? AND updated_at > ?')
  const see = database.prepare(
    'INSERT INTO versions VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET updated_at = max(updated_at, excluded.updated_at)',
  )
  const isDone = (key: string) => done.get(key) !== undefined
  return {
    claim(key) {
      const isMine = claim.run(key, Date.now() + LEASE_MS, Date.now()).changes === 1
      if (isDone(key)) return 'done'
      return isMine ? 'mine' : 'taken'
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
    see: ({ id, updatedAt }) => void see.run(id, updatedAt),
  }
}
