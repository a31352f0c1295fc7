/** The SQL of the store, for one pair of tables. */
export interface Statements {
  readonly schema: string
  /** The schema as one statement, under a lock: `if not exists` does not keep two processes from creating the same table. */
  readonly migrate: string
  /** $1 key, $2 token, $3 milliseconds of the lease, $4 resource, $5 updated_at. */
  readonly reserve: string
  /** $1 key, $2 token, $3 milliseconds of the lease, $4 what is done. */
  readonly renew: string
  /** $1 key, $2 token, $3 milliseconds of the retention, $4 resource, $5 updated_at. */
  readonly complete: string
  /** $1 key, $2 token, $3 milliseconds of the retention, $4 what is done. */
  readonly release: string
  /** $1 how many rows of each table. */
  readonly sweep: string
}

/** `now()` is when the transaction began, which may be long ago in one of the user's own. */
const NOW = 'clock_timestamp()'
const IN_$3_MS = `${NOW} + $3::double precision * interval '1 millisecond'`
const ABANDONED = "interval '1 day'"
/** Any number, the same for everyone. */
const MIGRATION_LOCK = 4_872_066_519_031
/** PostgreSQL cuts longer names, and the longest of ours is this much longer than the table's. */
const MAX_NAME_BYTES = 63 - '_versions_expires_at'.length

/** @throws TypeError if the name is empty or too long, or has more than two parts. */
export function statementsFor(table: string): Statements {
  const parts = table.split('.')
  const isUsable = parts.every((part) => part && !part.includes('\0') && bytesOf(part) <= MAX_NAME_BYTES)
  if (parts.length > 2 || !isUsable) {
    throw new TypeError(
      `\`table\` is not \`name\` or \`schema.name\` with up to ${MAX_NAME_BYTES} bytes each: ${table}`,
    )
  }
  const claims = parts.map(quoted).join('.')
  const versions = [...parts.slice(0, -1), `${parts.at(-1)}_versions`].map(quoted).join('.')
  const schema = schemaOf(claims, versions, parts.at(-1) ?? '')
  return {
    schema,
    migrate: `do ${literal(`begin perform pg_advisory_xact_lock(${MIGRATION_LOCK});\n${schema} end`)}`,
    reserve: reserveIn(claims, versions),
    renew: `
update ${claims} set
  leased_until = ${IN_$3_MS}, expires_at = ${IN_$3_MS} + ${ABANDONED}, done = done || $4::text::jsonb
where key = $1 and token = $2
returning key`,
    complete: completeIn(claims, versions),
    release: `
update ${claims} set
  token = null, leased_until = ${NOW}, expires_at = ${IN_$3_MS}, done = done || $4::text::jsonb
where key = $1 and token = $2
returning key`,
    sweep: `
with swept as (${sweepOf(claims, 'key')})
${sweepOf(versions, 'resource')}`,
  }
}

function schemaOf(claims: string, versions: string, name: string): string {
  return `create table if not exists ${claims} (
  key text primary key,
  token text,
  leased_until timestamptz not null,
  completed boolean not null default false,
  done jsonb not null default '{}',
  expires_at timestamptz not null
);
create index if not exists ${quoted(`${name}_expires_at`)} on ${claims} (expires_at);
create table if not exists ${versions} (
  resource text primary key,
  updated_at text collate "C" not null,
  expires_at timestamptz not null
);
create index if not exists ${quoted(`${name}_versions_expires_at`)} on ${versions} (expires_at);
`
}

/** Where the claim is another's, a claim of the same moment may not be seen yet: then it is not `completed` either. */
function reserveIn(claims: string, versions: string): string {
  return `
with attempt as (
  insert into ${claims} as claim (key, token, leased_until, expires_at)
  values ($1, $2, ${IN_$3_MS}, ${IN_$3_MS} + ${ABANDONED})
  on conflict (key) do update set
    token = excluded.token,
    leased_until = ${IN_$3_MS},
    completed = false,
    done = case when claim.expires_at > ${NOW} then claim.done else '{}' end,
    expires_at = ${IN_$3_MS} + ${ABANDONED}
  where claim.expires_at <= ${NOW} or not (claim.completed or claim.leased_until > ${NOW})
  returning done
)
select
  (select done::text from attempt) as done,
  exists (select from ${claims} where key = $1 and completed and expires_at > ${NOW}) as completed,
  exists (
    select from ${versions} where resource = $4::text and updated_at > $5::text and expires_at > ${NOW}
  ) as stale`
}

function completeIn(claims: string, versions: string): string {
  return `
with completed as (
  update ${claims} set token = null, completed = true, done = '{}', expires_at = ${IN_$3_MS}
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

/** Waits for nobody's lock, so that it cannot be part of a deadlock; `now()`, unlike the clock, can use the index. */
function sweepOf(table: string, key: string): string {
  return `delete from ${table} where ${key} = any (array(
  select ${key} from ${table} where expires_at <= now() order by expires_at limit $1::integer for update skip locked
))`
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length
}
