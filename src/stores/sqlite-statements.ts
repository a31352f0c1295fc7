import type { ResourceVersion } from '../core/idempotency-store.ts'
import type { SqliteDatabase } from './sqlite-database.ts'

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

const SCHEMA = `
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
values (@key, @token, ${NOW} + @leaseMs, ${NOW} + @leaseMs + ${DAY_MS})
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
  leased_until = ${NOW} + @leaseMs, expires_at = ${NOW} + @leaseMs + ${DAY_MS}, done = json_patch(done, @done)
where key = @key and token = @token
returning 1`

const COMPLETE = `
update hooklayer set token = null, completed = 1, done = '{}', expires_at = ${NOW} + @retentionMs
where key = @key and token = @token
returning 1`

const REMEMBER = `
insert into hooklayer_versions as version (resource, updated_at, expires_at)
values (@resource, @updatedAt, ${NOW} + @retentionMs)
on conflict (resource) do update set updated_at = excluded.updated_at, expires_at = excluded.expires_at
where version.updated_at <= excluded.updated_at or version.expires_at <= ${NOW}`

const RELEASE = `
update hooklayer set token = null, leased_until = ${NOW}, expires_at = ${NOW} + @retentionMs, done = json_patch(done, @done)
where key = @key and token = @token
returning 1`

const IS_COMPLETED = `select 1 from hooklayer where key = @key and completed and expires_at > ${NOW}`

const IS_STALE = `select 1 from hooklayer_versions where resource = @resource and updated_at > @updatedAt and expires_at > ${NOW}`

/** Creates the tables unless they are there. */
export function prepareStatements(database: SqliteDatabase): Statements {
  database.exec(SCHEMA)
  const prepare = (sql: string) => database.prepare(sql)
  const statements = {
    reserve: prepare(RESERVE),
    renew: prepare(RENEW),
    complete: prepare(COMPLETE),
    remember: prepare(REMEMBER),
    release: prepare(RELEASE),
    isCompleted: prepare(IS_COMPLETED),
    isStale: prepare(IS_STALE),
    sweeps: [prepare(sweepOf('hooklayer', 'key')), prepare(sweepOf('hooklayer_versions', 'resource'))],
  }
  return {
    reserve(key, token, leaseMs) {
      const row = statements.reserve.get({ key, token, leaseMs }) as { done: string } | undefined
      return row && Object.keys(JSON.parse(row.done))
    },
    isCompleted: (key) => statements.isCompleted.get({ key }) !== undefined,
    isStale: ({ resource, updatedAt }) => statements.isStale.get({ resource, updatedAt }) !== undefined,
    renew: (key, token, leaseMs, done) =>
      statements.renew.get({ key, token, leaseMs, done: setOf(done) }) !== undefined,
    complete: (key, token, retentionMs, version) =>
      together(database, () => {
        if (statements.complete.get({ key, token, retentionMs }) === undefined) return false
        if (version) statements.remember.run({ resource: version.resource, updatedAt: version.updatedAt, retentionMs })
        return true
      }),
    release: (key, token, retentionMs, done) =>
      statements.release.get({ key, token, retentionMs, done: setOf(done) }) !== undefined,
    sweep() {
      for (const statement of statements.sweeps) statement.run({ rows: SWEEP_ROWS })
    },
  }
}

/** A savepoint, unlike a transaction, may lie within a transaction of the user's. */
function together<T>(database: SqliteDatabase, work: () => T): T {
  database.exec('savepoint hooklayer')
  try {
    const result = work()
    database.exec('release hooklayer')
    return result
  } catch (error) {
    // A full disk rolls back by itself, and there is no savepoint any more.
    try {
      database.exec('rollback to hooklayer; release hooklayer')
    } catch {}
    throw error
  }
}

function sweepOf(table: string, key: string): string {
  return `delete from ${table} where ${key} in (
  select ${key} from ${table} where expires_at <= ${NOW} order by expires_at limit @rows
)`
}

/** As the keys of an object, for which `json_patch` is a union. */
function setOf(names: readonly string[]): string {
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, 1])))
}
