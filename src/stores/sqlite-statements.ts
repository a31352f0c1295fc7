import type { ResourceVersion } from '../core/idempotency/store.ts'
import { prepare, type SqliteDatabase } from '../sqlite/open.ts'
import { inSavepoint, inTransaction } from '../sqlite/transaction.ts'

/** The statements of the store, prepared: each is a transaction. */
export interface Statements {
  /** The names that are done, if the claim was free. */
  reserve(key: string, token: string, leaseMs: number): string[] | undefined
  isCompleted(key: string): boolean
  isStale(version: ResourceVersion): boolean
  renew(key: string, token: string, leaseMs: number, done: readonly string[]): boolean
  complete(key: string, token: string, retentionMs: number, version: ResourceVersion | undefined): boolean
  release(key: string, token: string, retentionMs: number, done: readonly string[]): boolean
  /** Removes expired rows, so few that nobody waits long for it. */
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

const REMEMBER = `
insert into hooklayer_versions as version (resource, updated_at, expires_at)
values (?, ?, ${NOW} + ?)
on conflict (resource) do update set updated_at = excluded.updated_at, expires_at = excluded.expires_at
where version.updated_at <= excluded.updated_at or version.expires_at <= ${NOW}`

const RELEASE = `
update hooklayer set token = null, leased_until = ${NOW}, expires_at = ${NOW} + ?, done = json_patch(done, ?)
where key = ? and token = ?`

const IS_COMPLETED = `select 1 from hooklayer where key = ? and completed and expires_at > ${NOW}`

const IS_STALE = `select 1 from hooklayer_versions where resource = ? and updated_at > ? and expires_at > ${NOW}`

/** @param isOwn whether nobody else has transactions on this connection. */
export function prepareStatements(database: SqliteDatabase, isOwn: boolean): Statements {
  const reserve = prepare(database, RESERVE)
  const renew = prepare(database, RENEW)
  const complete = prepare(database, COMPLETE)
  const remember = prepare(database, REMEMBER)
  const release = prepare(database, RELEASE)
  const isCompleted = prepare(database, IS_COMPLETED)
  const isStale = prepare(database, IS_STALE)
  const sweeps = [sweepOf('hooklayer', 'key'), sweepOf('hooklayer_versions', 'resource')].map((sql) =>
    prepare(database, sql),
  )
  const together = isOwn ? inTransaction : inSavepoint
  return {
    reserve: (key, token, leaseMs) =>
      together(database, () => {
        // Not `get`: that is content with the row, and does not hear whether it could be committed.
        const [row] = reserve.all(key, token, leaseMs, leaseMs + DAY_MS) as { done: string }[]
        return row && Object.keys(JSON.parse(row.done))
      }),
    isCompleted: (key) => isCompleted.get(key) !== undefined,
    isStale: ({ resource, updatedAt }) => isStale.get(resource, updatedAt) !== undefined,
    renew: (key, token, leaseMs, done) =>
      together(database, () => renew.run(leaseMs, leaseMs + DAY_MS, setOf(done), key, token).changes > 0),
    complete: (key, token, retentionMs, version) =>
      together(database, () => {
        const isHeld = complete.run(retentionMs, key, token).changes > 0
        if (isHeld && version) remember.run(version.resource, version.updatedAt, retentionMs)
        return isHeld
      }),
    release: (key, token, retentionMs, done) =>
      together(database, () => release.run(retentionMs, setOf(done), key, token).changes > 0),
    sweep: () =>
      together(database, () => {
        for (const sweep of sweeps) sweep.run()
      }),
  }
}

function sweepOf(table: string, key: string): string {
  return `delete from ${table} where ${key} in (
  select ${key} from ${table} where expires_at <= ${NOW} order by expires_at limit ${SWEEP_ROWS}
)`
}

/** As the keys of an object, for which `json_patch` is a union. */
function setOf(names: readonly string[]): string {
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, 1])))
}
