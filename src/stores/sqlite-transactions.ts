import type { CompleteOptions, ResourceVersion } from '../core/idempotency/store.ts'
import type { OpenDatabase } from '../sqlite/open.ts'
import { prepareStatements } from '../sqlite/statements.ts'
import { inSavepoint, inTransaction } from '../sqlite/transaction.ts'
import { readDoneNames, writeDoneNames } from './done-names.ts'

interface Reserved {
  readonly done: string[]
  readonly wasCompleted: boolean
}

/** What a row says of a key that is reserved by somebody else, or completed. */
export interface Holder {
  readonly isCompleted: boolean
  readonly token: string | null
  readonly leasedUntil: number
  /** Milliseconds until the lease ends. */
  readonly leftMs: number
}

/** The operations of the store. Each one that writes is a transaction. */
export interface Transactions {
  /**
   * Reserves a key, or tells who holds it.
   *
   * @param overAt the end of a lease that is over, whatever the clock says.
   */
  reserve(key: string, token: string, leaseMs: number, names: readonly string[], overAt?: number): Reserved | Holder
  isStale(version: ResourceVersion): boolean
  renew(key: string, token: string, leaseMs: number, done: readonly string[]): boolean
  complete(key: string, token: string, options: CompleteOptions): boolean
  release(key: string, token: string, retentionMs: number, done: readonly string[]): boolean
  /** Deletes the version of a resource. Returns how many there were. */
  erase(resource: string): number
  countFailures(topic: string, change: 'add' | 'reset' | 'read'): number
  /** Deletes expired rows, but at most `SWEEP_ROWS` of each table, so that it never takes long. */
  sweep(): void
}

const DAY_MS = 24 * 60 * 60 * 1000
const SWEEP_ROWS = 500
/** Milliseconds; SQLite 3.42 or newer. */
const NOW = "cast(round(unixepoch('subsec') * 1000) as integer)"

/**
 * `token` of a completed row is null if it counts for all names, as in version 0.1. Else it is {@link BY_NAMES}, or the
 * token of the next reservation, and `done` has the names.
 */
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
create table if not exists hooklayer_failures (
  topic text primary key,
  failures integer not null,
  expires_at integer not null
) without rowid;
`

const BY_NAMES = "'names'"

const IS_DONE = 'claim.completed and (claim.token is null or json_patch(claim.done, ?) = claim.done)'

/** What was completed is kept for at least as long as it was to be. */
const EXPIRES_IN_MS = `max(completed * expires_at, ${NOW} + ?)`

const RESERVE = `
insert into hooklayer as claim (key, token, leased_until, expires_at)
values (?, ?, ${NOW} + ?, ${NOW} + ?)
on conflict (key) do update set
  token = excluded.token,
  leased_until = excluded.leased_until,
  completed = claim.completed and claim.expires_at > ${NOW},
  done = case when claim.expires_at > ${NOW} then claim.done else '{}' end,
  expires_at = max(claim.expires_at, excluded.expires_at)
where claim.expires_at <= ${NOW}
  or not (claim.leased_until > ${NOW} and claim.leased_until is not ? or ${IS_DONE})
returning done, completed`

const RENEW = `
update hooklayer set
  leased_until = ${NOW} + ?, expires_at = max(expires_at, ${NOW} + ?), done = json_patch(done, ?)
where key = ? and token = ?`

const COMPLETE = `
update hooklayer set
  token = case when ? then ${BY_NAMES} end, completed = 1, leased_until = ${NOW}, expires_at = ${EXPIRES_IN_MS},
  done = json_patch(done, ?)
where key = ? and token = ?`

const RECORD_VERSION = `
insert into hooklayer_versions as version (resource, updated_at, expires_at)
values (?, ?, ${NOW} + ?)
on conflict (resource) do update set updated_at = excluded.updated_at, expires_at = excluded.expires_at
where version.updated_at <= excluded.updated_at or version.expires_at <= ${NOW}`

const RELEASE = `
update hooklayer set
  token = case when completed then ${BY_NAMES} end, leased_until = ${NOW}, expires_at = ${EXPIRES_IN_MS},
  done = json_patch(done, ?)
where key = ? and token = ?`

const HOLDER = `
select ${IS_DONE} as isCompleted, token, leased_until as leasedUntil, leased_until - ${NOW} as leftMs
from hooklayer as claim where key = ?`

const ADD_FAILURE = `
insert into hooklayer_failures as topics (topic, failures, expires_at) values (?, 1, ${NOW} + ${DAY_MS})
on conflict (topic) do update set
  failures = case when expires_at > ${NOW} then failures + 1 else 1 end, expires_at = excluded.expires_at`

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
  holder: HOLDER,
  isStale: IS_STALE,
  addFailure: ADD_FAILURE,
  resetFailures: 'delete from hooklayer_failures where topic = ?',
  readFailures: `select failures from hooklayer_failures where topic = ? and expires_at > ${NOW}`,
  erase: 'delete from hooklayer_versions where resource = ?',
  sweepEvents: writeSweep('hooklayer', 'key'),
  sweepVersions: writeSweep('hooklayer_versions', 'resource'),
} as const

/** Numbers are `bigint`s if the database is set to return those. */
interface ReservedRow {
  readonly done: string
  readonly completed: number | bigint
}

interface HolderRow {
  readonly isCompleted: number | bigint
  readonly token: string | null
  readonly leasedUntil: number | bigint
  readonly leftMs: number | bigint
}

/** @param isOwn whether nobody else uses transactions on this connection. */
export function createTransactions(opened: OpenDatabase, isOwn: boolean): Transactions {
  const sql = prepareStatements(opened.database, STATEMENTS)
  const transact: typeof inTransaction = isOwn ? inTransaction : inSavepoint
  return {
    reserve(key, token, leaseMs, names, overAt) {
      const work = () => {
        const wanted = writeDoneNames(names)
        // `get` would stop at the first row, before SQLite reports whether the change could be made.
        const [row] = sql.reserve.all(key, token, leaseMs, leaseMs + DAY_MS, overAt ?? null, wanted) as ReservedRow[]
        if (row) return { done: readDoneNames(row.done), wasCompleted: Number(row.completed) === 1 }
        const holder = sql.holder.get(wanted, key) as HolderRow
        return {
          isCompleted: Number(holder.isCompleted) === 1,
          token: holder.token,
          leasedUntil: Number(holder.leasedUntil),
          leftMs: Number(holder.leftMs),
        }
      }
      // A reservation may be lost in a power cut, because its holder dies with it.
      return transact(opened, work, 'soon')
    },
    isStale: ({ resource, updatedAt }) => sql.isStale.get(resource, updatedAt) !== undefined,
    renew: (key, token, leaseMs, done) =>
      transact(opened, () => sql.renew.run(leaseMs, leaseMs + DAY_MS, writeDoneNames(done), key, token).changes > 0),
    complete: (key, token, { retentionMs, version, done }) =>
      transact(opened, () => {
        const isHeld = sql.complete.run(done ? 1 : 0, retentionMs, writeDoneNames(done ?? []), key, token).changes > 0
        if (isHeld && version) sql.recordVersion.run(version.resource, version.updatedAt, retentionMs)
        return isHeld
      }),
    release: (key, token, retentionMs, done) =>
      transact(opened, () => sql.release.run(retentionMs, writeDoneNames(done), key, token).changes > 0),
    countFailures(topic, change) {
      const read = () =>
        Number((sql.readFailures.get(topic) as { failures: number | bigint } | undefined)?.failures ?? 0)
      if (change === 'read') return read()
      return transact(
        opened,
        () => {
          if (change === 'add') sql.addFailure.run(topic)
          else sql.resetFailures.run(topic)
          return read()
        },
        'soon',
      )
    },
    erase: (resource) => transact(opened, () => Number(sql.erase.run(resource).changes)),
    sweep: () =>
      transact(opened, () => {
        sql.sweepEvents.run()
        sql.sweepVersions.run()
      }),
  }
}
