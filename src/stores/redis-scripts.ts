/**
 * The operations as Lua, one script each. KEYS[1] is the event: a hash with `token`, `leased_until` and a field
 * `done:{name}` for each name that is done. It has `completed` after its completion: `names` if the names that are done
 * are those it was completed with, else `1`, as in version 0.1. KEYS[2], if given, is the version of its resource, a
 * string.
 */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

const RETURN_UNLESS_HELD = `
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
`

/** Sets how long the event is kept. What was completed stays for at least as long as it was to be. */
const KEEP = `
local function keep(ms)
  if redis.call('HEXISTS', KEYS[1], 'completed') == 1 then ms = math.max(ms, redis.call('PTTL', KEYS[1])) end
  redis.call('PEXPIRE', KEYS[1], ms)
end
`

const ADD_DONE_FROM = (first: number) =>
  `for i = ${first}, #ARGV do redis.call('HSET', KEYS[1], 'done:' .. ARGV[i], '') end`

/**
 * ARGV: token, milliseconds of the lease, milliseconds for which an abandoned reservation is kept, updated_at or empty,
 * names that have to be done. Fields are returned as they are, because a client may take a bare name for JSON.
 */
export const RESERVE = `${NOW}${KEEP}
local before = redis.call('HMGET', KEYS[1], 'completed', 'leased_until')
local isDone = before[1]
if isDone == 'names' then
  for i = 5, #ARGV do isDone = isDone and redis.call('HEXISTS', KEYS[1], 'done:' .. ARGV[i]) == 1 end
end
if isDone then return {'completed'} end
if before[2] and tonumber(before[2]) > now then return {'in-progress'} end
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'leased_until', now + ARGV[2])
keep(ARGV[2] + ARGV[3])
local known = KEYS[2] and redis.call('GET', KEYS[2])
local reply = {'reserved', known and known > ARGV[4] and 'stale' or 'fresh', before[1] and 'completed' or 'new'}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 5) == 'done:' then table.insert(reply, field) end
end
return reply`

/**
 * ARGV: token, milliseconds of the lease, milliseconds for which an abandoned reservation is kept, names that are done.
 */
export const RENEW = `${RETURN_UNLESS_HELD}${NOW}${KEEP}
redis.call('HSET', KEYS[1], 'leased_until', now + ARGV[2])
${ADD_DONE_FROM(4)}
keep(ARGV[2] + ARGV[3])
return 1`

/** ARGV: token, milliseconds of the retention, updated_at or empty, `names` or `1`, names that are done. */
export const COMPLETE = `${RETURN_UNLESS_HELD}${KEEP}
keep(ARGV[2])
redis.call('HSET', KEYS[1], 'completed', ARGV[4])
redis.call('HDEL', KEYS[1], 'token', 'leased_until')
${ADD_DONE_FROM(5)}
if KEYS[2] then
  local known = redis.call('GET', KEYS[2])
  if not known or known <= ARGV[3] then redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[2]) end
end
return 1`

/** ARGV: token, milliseconds of the retention, names that are done. */
export const RELEASE = `${RETURN_UNLESS_HELD}${KEEP}
redis.call('HDEL', KEYS[1], 'token', 'leased_until')
${ADD_DONE_FROM(3)}
keep(ARGV[2])
return 1`

/** ARGV: `add`, `reset` or `read`, milliseconds for which the number is kept. */
export const COUNT_FAILURES = `
if ARGV[1] == 'reset' then redis.call('DEL', KEYS[1]) end
if ARGV[1] ~= 'add' then return tonumber(redis.call('GET', KEYS[1]) or 0) end
local failures = redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return failures`

/** Deletes a version. */
export const ERASE = "return redis.call('DEL', KEYS[1])"
