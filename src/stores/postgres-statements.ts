/** The SQL of the store for one pair of tables. */
export interface Statements {
  readonly schema: string
  /**
   * The schema as one statement under a lock. `if not exists` alone fails when two processes create a table at once.
   */
  readonly migrate: string
  /** $1 key, $2 token, $3 milliseconds of the lease, $4 resource, $5 updated_at, $6 names that have to be done. */
  readonly reserve: string
  /** $1 key, $2 token, $3 milliseconds of the lease, $4 names that are done. */
  readonly renew: string
  /** $1 key, $2 token, $3 milliseconds of the retention, $4 resource, $5 updated_at, $6 names that are done, or null. */
  readonly complete: string
  /** $1 key, $2 token, $3 milliseconds of the retention, $4 names that are done. */
  readonly release: string
  /** $1 resource. */
  readonly erase: string
  /** $1 the most rows to delete of each table. */
  readonly sweep: string
  /** Whether there is a table to count in: `migrate` of an earlier version did not make it. */
  readonly canCount: string
  /** $1 topic. */
  readonly countFailures: Readonly<Record<'add' | 'reset' | 'read', string>>
}

/** Not `now()`: that is the start of the transaction, which may be long ago in a transaction of the user. */
const NOW = 'clock_timestamp()'
const IN_$3_MS = `${NOW} + $3::double precision * interval '1 millisecond'`
/** What was completed is kept for at least as long as it was to be. */
const EXPIRES_IN_$3_MS = `greatest(case when completed then expires_at end, ${IN_$3_MS})`
const ABANDONED = "interval '1 day'"
const FAILURES_KEPT = "interval '1 day'"
/**
 * What a row was completed with is in `token`: null if it counts for all names, as in version 0.1. Else it is this, or
 * the token of the next reservation, and `done` has the names.
 */
const BY_NAMES = "'names'"
/** An arbitrary number, the same in all processes. */
const MIGRATION_LOCK = 4_872_066_519_031
/** PostgreSQL truncates names after 63 bytes. Our longest name adds this suffix to the name of the table. */
const MAX_NAME_BYTES = 63 - '_versions_expires_at'.length

/** @throws TypeError if the name is empty or too long, or has more than two parts. */
export function buildStatements(table: string): Statements {
  const parts = table.split('.')
  const isUsable = parts.every((part) => part && !part.includes('\0') && countBytes(part) <= MAX_NAME_BYTES)
  if (parts.length > 2 || !isUsable) {
    throw new TypeError(
      `\`table\` is not \`name\` or \`schema.name\` with up to ${MAX_NAME_BYTES} bytes each: ${table}`,
    )
  }
  const events = parts.map(quoteName).join('.')
  const versions = [...parts.slice(0, -1), `${parts.at(-1)}_versions`].map(quoteName).join('.')
  const failures = [...parts.slice(0, -1), `${parts.at(-1)}_failures`].map(quoteName).join('.')
  const schema = `${buildSchema(events, versions, parts.at(-1) ?? '')}${buildFailuresTable(failures)}`
  return {
    schema,
    migrate: `do ${quoteLiteral(`begin perform pg_advisory_xact_lock(${MIGRATION_LOCK});\n${schema} end`)}`,
    reserve: buildReserve(events, versions),
    renew: `
update ${events} set
  leased_until = ${IN_$3_MS}, expires_at = greatest(expires_at, ${IN_$3_MS} + ${ABANDONED}),
  done = done || $4::text::jsonb
where key = $1 and token = $2
returning key`,
    complete: buildComplete(events, versions),
    release: `
update ${events} set
  token = case when completed then ${BY_NAMES} end, leased_until = ${NOW}, done = done || $4::text::jsonb,
  expires_at = ${EXPIRES_IN_$3_MS}
where key = $1 and token = $2
returning key`,
    erase: `delete from ${versions} where resource = $1 returning resource`,
    sweep: `
with swept as (${buildSweep(events, 'key')})
${buildSweep(versions, 'resource')}`,
    canCount: `select to_regclass(${quoteLiteral(failures)}) is not null as can_count`,
    countFailures: {
      add: `
insert into ${failures} as topics (topic, failures, expires_at) values ($1, 1, ${NOW} + ${FAILURES_KEPT})
on conflict (topic) do update set
  failures = case when topics.expires_at > ${NOW} then topics.failures + 1 else 1 end, expires_at = excluded.expires_at
returning failures`,
      reset: `delete from ${failures} where topic = $1 returning 0 as failures`,
      read: `select failures from ${failures} where topic = $1 and expires_at > ${NOW}`,
    },
  }
}

function buildSchema(events: string, versions: string, name: string): string {
  return `create table if not exists ${events} (
  key text primary key,
  token text,
  leased_until timestamptz not null,
  completed boolean not null default false,
  done jsonb not null default '{}',
  expires_at timestamptz not null
);
create index if not exists ${quoteName(`${name}_expires_at`)} on ${events} (expires_at);
create table if not exists ${versions} (
  resource text primary key,
  updated_at text collate "C" not null,
  expires_at timestamptz not null
);
create index if not exists ${quoteName(`${name}_versions_expires_at`)} on ${versions} (expires_at);
`
}

function buildFailuresTable(failures: string): string {
  return `create table if not exists ${failures} (
  topic text primary key,
  failures integer not null,
  expires_at timestamptz not null
);
`
}

/**
 * If the key was not reserved, `completed` tells why. A row that another process inserts at the same moment may not be
 * visible yet, but that row is not completed either.
 */
function buildReserve(events: string, versions: string): string {
  const isDone = '(claim.token is null or claim.done @> $6::text::jsonb)'
  return `
with attempt as (
  insert into ${events} as claim (key, token, leased_until, expires_at)
  values ($1, $2, ${IN_$3_MS}, ${IN_$3_MS} + ${ABANDONED})
  on conflict (key) do update set
    token = excluded.token,
    leased_until = ${IN_$3_MS},
    completed = claim.completed and claim.expires_at > ${NOW},
    done = case when claim.expires_at > ${NOW} then claim.done else '{}' end,
    expires_at = greatest(claim.expires_at, ${IN_$3_MS} + ${ABANDONED})
  where claim.expires_at <= ${NOW} or not (claim.leased_until > ${NOW} or claim.completed and ${isDone})
  returning done, completed
)
select
  (select done::text from attempt) as done,
  (select completed from attempt) as was_completed,
  exists (
    select from ${events} as claim where key = $1 and completed and ${isDone} and expires_at > ${NOW}
  ) as completed,
  exists (
    select from ${versions} where resource = $4::text and updated_at > $5::text and expires_at > ${NOW}
  ) as stale`
}

function buildComplete(events: string, versions: string): string {
  return `
with completed as (
  update ${events} set
    token = case when $6::text is not null then ${BY_NAMES} end, completed = true, leased_until = ${NOW},
    done = done || coalesce($6::text::jsonb, '{}'), expires_at = ${EXPIRES_IN_$3_MS}
  where key = $1 and token = $2
  returning key
), remembered as (
  insert into ${versions} as version (resource, updated_at, expires_at)
  select $4::text, $5::text, ${IN_$3_MS} from completed where $4::text is not null
  on conflict (resource) do update set updated_at = excluded.updated_at, expires_at = excluded.expires_at
  where version.updated_at <= excluded.updated_at or version.expires_at <= ${NOW}
)
select key from completed`
}

/** Skips locked rows, so that it cannot deadlock. `now()` can use the index, `clock_timestamp()` cannot. */
function buildSweep(table: string, key: string): string {
  return `delete from ${table} where ${key} = any (array(
  select ${key} from ${table} where expires_at <= now() order by expires_at limit $1::integer for update skip locked
))`
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function countBytes(text: string): number {
  return new TextEncoder().encode(text).length
}
