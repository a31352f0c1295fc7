import type { ResourceVersion } from '../core/idempotency/store.ts'
import type { OpenDatabase } from '../sqlite/open.ts'
import { prepareStatements } from '../sqlite/statements.ts'
import { inSavepoint, inTransaction } from '../sqlite/transaction.ts'
import { readDoneNames, writeDoneNames } from './done-names.ts'

/** The operations of the store. Each one that writes is a transaction. */
export interface Transactions {
  /** The names that are done; `undefined` if the key is reserved by somebody else or completed. */
  reserve(key: string, token: string, leaseMs: number): string[] | undefined
  isCompleted(key: string): boolean
  isStale(version: ResourceVersion): boolean
  renew(key: string, token: string, leaseMs: number, done: readonly string[]): boolean
  complete(key: string, token: string, retentionMs: number, version: ResourceVersion | undefined): boolean
  release(key: string, token: string, retentionMs: number, done: readonly string[]): boolean
  /** Deletes expired rows, but at most `SWEEP_ROWS` of each table, so that it never takes long. */
  sweep(): void
}

const DAY_MS = 24 * 60 * 60 * 1000
const SWEEP_ROWS = 500
/** Milliseconds; SQLite 3.42 or newer. */
const NOW = "cast(round(unixepoch('subsec') * 1000) as integer)"

export const TABLES = `
create table if not exists hooklayer (
  key text primary key,
  token text,
  leased_until integer not null,
  completed integer not null default 0,
  done text not null default '{}',
  expires_at integer not null
) without rowid;
create index if not exists hooklayer_expires_at on hooklayer (expires_at);
create table if not exists hooklayer_versions (
  resource text primary key,
  updated_at text not null,
  expires_at integer not null
) without rowid;
create index if not exists hooklayer_versions_expires_at on hooklayer_versions (expires_at);
`

const RESERVE = `
insert into hooklayer as claim (key, token, leased_until, expires_at)
values (?, ?, ${NOW} + ?, ${NOW} + ?)
on conflict (key) do update set
  token = excluded.token,
  leased_until = excluded.leased_until,
  completed = 0,
  done = case when claim.expires_at > ${NOW} then claim.done else '{}' end,
  expires_at = excluded.expires_at
where claim.expires_at <= ${NOW} or not (claim.completed or claim.leased_until > ${NOW})
returning done`

const RENEW = `
update hooklayer set
  leased_until = ${NOW} + ?, expires_at = ${NOW} + ?, done = json_patch(done, ?)
where key = ? and token = ?`

const COMPLETE = `
update hooklayer set token = null, completed = 1, done = '{}', expires_at = ${NOW} + ?
where key = ? and token = ?`

const RECORD_VERSION = `
insert into hooklayer_versions as version (resource, updated_at, expires_at)
values (?, ?, ${NOW} + ?)
on conflict (resource) do update set updated_at = excluded.updated_at, expires_at = excluded.expires_at
where version.updated_at <= excluded.updated_at or version.expires_at <= ${NOW}`

const RELEASE = `
update hooklayer set token = null, leased_until = ${NOW}, expires_at = ${NOW} + ?, done = json_patch(done, ?)
where key = ? and token = ?`

const IS_COMPLETED = `select 1 from hooklayer where key = ? and completed and expires_at > ${NOW}`

const IS_STALE = `select 1 from hooklayer_versions where resource = ? and updated_at > ? and expires_at > ${NOW}`

function writeSweep(table: string, key: string): string {
  return `delete from ${table} where ${key} in (
  select ${key} from ${table} where expires_at <= ${NOW} order by expires_at limit ${SWEEP_ROWS}
)`
}

const STATEMENTS = {
  reserve: RESERVE,
  renew: RENEW,
  complete: COMPLETE,
  recordVersion: RECORD_VERSION,
  release: RELEASE,
  isCompleted: IS_COMPLETED,
  isStale: IS_STALE,
  sweepEvents: writeSweep('hooklayer', 'key'),
  sweepVersions: writeSweep('hooklayer_versions', 'resource'),
} as const

/** @param isOwn whether nobody else uses transactions on this connection. */
export function createTransactions(opened: OpenDatabase, isOwn: boolean): Transactions {
  const sql = prepareStatements(opened.database, STATEMENTS)
  const transact = isOwn ? inTransaction : inSavepoint
  return {
    reserve: (key, token, leaseMs) =>
      transact(opened, () => {
        // `get` would stop at the first row, before SQLite reports whether the change could be made.
        const [row] = sql.reserve.all(key, token, leaseMs, leaseMs + DAY_MS) as { done: string }[]
        return row && readDoneNames(row.done)
      }),
    isCompleted: (key) => sql.isCompleted.get(key) !== undefined,
    isStale: ({ resource, updatedAt }) => sql.isStale.get(resource, updatedAt) !== undefined,
    renew: (key, token, leaseMs, done) =>
      transact(opened, () => sql.renew.run(leaseMs, leaseMs + DAY_MS, writeDoneNames(done), key, token).changes > 0),
    complete: (key, token, retentionMs, version) =>
      transact(opened, () => {
        const isHeld = sql.complete.run(retentionMs, key, token).changes > 0
        if (isHeld && version) sql.recordVersion.run(version.resource, version.updatedAt, retentionMs)
        return isHeld
      }),
    release: (key, token, retentionMs, done) =>
      transact(opened, () => sql.release.run(retentionMs, writeDoneNames(done), key, token).changes > 0),
    sweep: () =>
      transact(opened, () => {
        sql.sweepEvents.run()
        sql.sweepVersions.run()
      }),
  }
}
