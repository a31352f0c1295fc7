/**
 * The operations as Lua, one script each. KEYS[1] is the event: a hash with `token`, `leased_until` and a field
 * `done:{name}` for each name that is done, or with `completed` alone. KEYS[2], if given, is the version of its
 * resource, a string.
 */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

const RETURN_UNLESS_HELD = `
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
`

/** ARGV: token, milliseconds of the lease, milliseconds for which an abandoned reservation is kept, updated_at. */
export const RESERVE = `${NOW}
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
return reply`

/**
 * ARGV: token, milliseconds of the lease, milliseconds for which an abandoned reservation is kept, names that are done.
 */
export const RENEW = `${RETURN_UNLESS_HELD}${NOW}
redis.call('HSET', KEYS[1], 'leased_until', now + ARGV[2])
for i = 4, #ARGV do redis.call('HSET', KEYS[1], 'done:' .. ARGV[i], '') end
redis.call('PEXPIRE', KEYS[1], ARGV[2] + ARGV[3])
return 1`

/** ARGV: token, milliseconds of the retention, updated_at. */
export const COMPLETE = `${RETURN_UNLESS_HELD}
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'completed', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if KEYS[2] then
  local known = redis.call('GET', KEYS[2])
  if not known or known <= ARGV[3] then redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[2]) end
end
return 1`

/** ARGV: token, milliseconds of the retention, names that are done. */
export const RELEASE = `${RETURN_UNLESS_HELD}
redis.call('HDEL', KEYS[1], 'token', 'leased_until')
for i = 3, #ARGV do redis.call('HSET', KEYS[1], 'done:' .. ARGV[i], '') end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`
