import type { SqliteDatabase } from 'hooklayer/stores/sqlite'
import type { Redis } from 'ioredis'
import type pg from 'pg'

/** What the stores of version 0.1 did with a key without a version of its resource: their statements, word for word. */
export interface FormerStore {
  /** The names that are done; or the other states. */
  reserve(key: string, token: string): Promise<string[] | 'in-progress' | 'completed'>
  complete(key: string, token: string): Promise<boolean>
  release(key: string, token: string, done: readonly string[]): Promise<boolean>
}

const LEASE_MS = 60_000
const DAY_MS = 24 * 60 * 60 * 1000

const NOW_IN_REDIS = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`
const UNLESS_HELD = `
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
`

const REDIS = {
  reserve: `${NOW_IN_REDIS}
local before = redis.call('HMGET', KEYS[1], 'completed', 'leased_until')
if before[1] then return {'completed'} end
if before[2] and tonumber(before[2]) > now then return {'in-progress'} end
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'leased_until', now + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2] + ARGV[3])
local known = KEYS[2] and redis.call('GET', KEYS[2])
local reply = {'reserved', known and known > ARGV[4] and 'stale' or 'fresh'}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 5) == 'done:' then table.insert(reply, string.sub(field, 6)) end
end
return reply`,
  complete: `${UNLESS_HELD}
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'completed', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`,
  release: `${UNLESS_HELD}
redis.call('HDEL', KEYS[1], 'token', 'leased_until')
for i = 3, #ARGV do redis.call('HSET', KEYS[1], 'done:' .. ARGV[i], '') end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`,
}

export function createFormerRedisStore(redis: Redis, prefix: string): FormerStore {
  const run = (script: string, key: string, ...values: (string | number)[]) =>
    redis.eval(script, 1, `${prefix}claim:${key}`, ...values)
  return {
    async reserve(key, token) {
      const [state, , ...done] = (await run(REDIS.reserve, key, token, LEASE_MS, DAY_MS)) as string[]
      return state === 'reserved' ? done : (state as 'in-progress' | 'completed')
    },
    complete: async (key, token) => (await run(REDIS.complete, key, token, LEASE_MS)) === 1,
    release: async (key, token, done) => (await run(REDIS.release, key, token, LEASE_MS, ...done)) === 1,
  }
}

const NOW = 'clock_timestamp()'
const IN_$3_MS = `${NOW} + $3::double precision * interval '1 millisecond'`
const ABANDONED = "interval '1 day'"

export function createFormerPostgresStore(pool: pg.Pool, events: string): FormerStore {
  const reserve = `
with attempt as (
  insert into ${events} as claim (key, token, leased_until, expires_at)
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
  exists (select from ${events} where key = $1 and completed and expires_at > ${NOW}) as completed`
  const complete = `
update ${events} set token = null, completed = true, done = '{}', expires_at = ${IN_$3_MS}
where key = $1 and token = $2
returning key`
  const release = `
update ${events} set
  token = null, leased_until = ${NOW}, expires_at = ${IN_$3_MS}, done = done || $4::text::jsonb
where key = $1 and token = $2
returning key`
  return {
    async reserve(key, token) {
      const { done, completed } = (await pool.query(reserve, [key, token, LEASE_MS])).rows[0]
      if (done !== null) return Object.keys(JSON.parse(done))
      return completed ? 'completed' : 'in-progress'
    },
    complete: async (key, token) => (await pool.query(complete, [key, token, LEASE_MS])).rows.length > 0,
    release: async (key, token, done) =>
      (await pool.query(release, [key, token, LEASE_MS, toJson(done)])).rows.length > 0,
  }
}

const NOW_IN_SQLITE = "cast(round(unixepoch('subsec') * 1000) as integer)"

const SQLITE = {
  reserve: `
insert into hooklayer as claim (key, token, leased_until, expires_at)
values (?, ?, ${NOW_IN_SQLITE} + ?, ${NOW_IN_SQLITE} + ?)
on conflict (key) do update set
  token = excluded.token,
  leased_until = excluded.leased_until,
  completed = 0,
  done = case when claim.expires_at > ${NOW_IN_SQLITE} then claim.done else '{}' end,
  expires_at = excluded.expires_at
where claim.expires_at <= ${NOW_IN_SQLITE} or not (claim.completed or claim.leased_until > ${NOW_IN_SQLITE})
returning done`,
  isCompleted: `select 1 from hooklayer where key = ? and completed and expires_at > ${NOW_IN_SQLITE}`,
  complete: `
update hooklayer set token = null, completed = 1, done = '{}', expires_at = ${NOW_IN_SQLITE} + ?
where key = ? and token = ?`,
  release: `
update hooklayer set token = null, leased_until = ${NOW_IN_SQLITE}, expires_at = ${NOW_IN_SQLITE} + ?, done = json_patch(done, ?)
where key = ? and token = ?`,
}

interface Statement {
  all(...values: readonly unknown[]): { readonly done: string }[]
  run(...values: readonly unknown[]): { readonly changes: number }
}

export function createFormerSqliteStore(database: SqliteDatabase): FormerStore {
  const prepare = (sql: string) => database.prepare(sql) as Statement
  return {
    async reserve(key, token) {
      const [row] = prepare(SQLITE.reserve).all(key, token, LEASE_MS, LEASE_MS + DAY_MS)
      if (row) return Object.keys(JSON.parse(row.done))
      return prepare(SQLITE.isCompleted).all(key).length > 0 ? 'completed' : 'in-progress'
    },
    complete: async (key, token) => prepare(SQLITE.complete).run(LEASE_MS, key, token).changes > 0,
    release: async (key, token, done) => prepare(SQLITE.release).run(LEASE_MS, toJson(done), key, token).changes > 0,
  }
}

function toJson(names: readonly string[]): string {
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, 1])))
}
