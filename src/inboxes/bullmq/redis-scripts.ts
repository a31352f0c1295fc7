import { createHash } from 'node:crypto'
import { UNHANDLED_NOTE } from './engine-jobs.ts'

/** Ends the lock of an active job; false if the token does not hold it. */
const RELEASE = `
local function release(prefix, id, token)
  local lock = prefix .. id .. ':lock'
  if redis.call('GET', lock) ~= token then return false end
  redis.call('DEL', lock)
  redis.call('SREM', prefix .. 'stalled', id)
  return redis.call('LREM', prefix .. 'active', -1, id) > 0
end
`

/**
 * Puts a job where it was taken from: the next job is at the right end of the list, and before this one come only older
 * ones that were put back too. Ids of jobs are in the order of time.
 */
const PLACE = `
local function place(prefix, id)
  local list, older, first = prefix .. 'wait', 0, nil
  while older < 1000 do
    local other = redis.call('LINDEX', list, -1 - older)
    if not other or other > id then break end
    older, first = older + 1, other
  end
  if first then redis.call('LINSERT', list, 'BEFORE', first, id) else redis.call('RPUSH', list, id) end
  redis.call('ZADD', prefix .. 'marker', 0, '0')
end
`

/** Keeps nothing of a job but the id of its delivery. */
const FINISH = `
local function finish(prefix, id, now)
  local key = prefix .. id
  redis.call('HSET', key, 'data', '{}', 'returnvalue', 'null', 'finishedOn', now)
  redis.call('HDEL', key, 'failedReason', 'stacktrace')
  redis.call('ZADD', prefix .. 'completed', now, id)
end
`

const IS_UNHANDLED = `
local function isUnhandled(reason)
  return reason and string.sub(reason, 1, ${UNHANDLED_NOTE.length}) == '${UNHANDLED_NOTE}'
end
`

/**
 * Does what BullMQ's script does for one job. That one must be asked if delayed jobs are due, or the queue has limits.
 * A count that is none stays: somebody else has written it.
 */
const TAKE = `
local prefix, now, lease = ARGV[1], ARGV[2], ARGV[3]
local limits = redis.call('HMGET', prefix .. 'meta', 'paused', 'concurrency', 'max')
if limits[1] or limits[2] or limits[3] then return {} end
local due = redis.call('ZRANGEBYSCORE', prefix .. 'delayed', 0, (now + 1) * 0x1000 - 1, 'LIMIT', 0, 1)
if due[1] then return {} end
local taken = {}
for i = 4, #ARGV do
  local id = redis.call('RPOPLPUSH', prefix .. 'wait', prefix .. 'active')
  if not id then break end
  local key = prefix .. id
  redis.call('SET', key .. ':lock', ARGV[i], 'PX', lease)
  redis.call('HSET', key, 'processedOn', now)
  redis.pcall('HINCRBY', key, 'ats', 1)
  local job = redis.call('HMGET', key, 'name', 'timestamp', 'data', 'failedReason', 'deid', 'atm', 'stc')
  taken[#taken + 1] = { id, unpack(job) }
end
if redis.call('EXISTS', prefix .. 'wait') == 1 then redis.call('ZADD', prefix .. 'marker', 0, '0') end
return taken
`

const COMPLETE = `${RELEASE}${FINISH}
local now, completed = ARGV[1], {}
for i = 2, #ARGV, 3 do
  local prefix, id, token = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local isHeld = release(prefix, id, token)
  if isHeld then
    redis.pcall('HINCRBY', prefix .. id, 'atm', 1)
    finish(prefix, id, now)
  end
  completed[#completed + 1] = isHeld and 1 or 0
end
return completed
`

const GIVE_BACK = `${RELEASE}${PLACE}
local prefix, id, token = ARGV[1], ARGV[2], ARGV[3]
if not release(prefix, id, token) then return 0 end
place(prefix, id)
return 1
`

/** BullMQ keeps delayed jobs by their time in units of 1/4096 of a millisecond. */
const DELAY = `${RELEASE}
local prefix, id, token, time, note = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if not release(prefix, id, token) then return 0 end
redis.call('HSET', prefix .. id, 'failedReason', note)
redis.call('ZADD', prefix .. 'delayed', time * 0x1000, id)
if KEYS[1] then
  redis.call('SADD', KEYS[1], ARGV[6])
  redis.call('ZADD', KEYS[2], ARGV[8], ARGV[7])
end
return 1
`

const COUNT_UNHANDLED = `
local counts = {}
for _, topic in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  counts[#counts + 1] = { topic, redis.call('ZCARD', KEYS[1] .. ':' .. topic) }
end
return counts
`

/** Also removes records of jobs that wait for a handler no more. */
const CALL_BACK = `${PLACE}${IS_UNHANDLED}
local topic, count, note = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local moved = 0
for _, member in ipairs(redis.call('ZRANGE', KEYS[2], 0, count - 1)) do
  redis.call('ZREM', KEYS[2], member)
  local lane, id = string.match(member, '^(%d+):(.*)$')
  local prefix = ARGV[4 + lane]
  if isUnhandled(redis.call('HGET', prefix .. id, 'failedReason')) and redis.call('ZREM', prefix .. 'delayed', id) == 1 then
    if note ~= '' then redis.call('HSET', prefix .. id, 'failedReason', note) end
    place(prefix, id)
    moved = moved + 1
  end
end
if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('SREM', KEYS[1], topic) end
return moved
`

const COUNT = `${IS_UNHANDLED}
local prefix, list, first, last = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local isSet = list == 'delayed' or list == 'failed'
local ids = redis.call(isSet and 'ZRANGE' or 'LRANGE', prefix .. list, first, last)
local places, counts = {}, { #ids }
for _, id in ipairs(ids) do
  local job = redis.call('HMGET', prefix .. id, 'name', 'timestamp', 'failedReason')
  local topic, time = job[1] or '', tonumber(job[2]) or math.huge
  local unhandled = (list == 'delayed' and isUnhandled(job[3])) and 1 or 0
  local place = places[unhandled .. topic]
  if not place then
    counts[#counts + 1] = { topic, unhandled, 0, math.huge }
    place = #counts
    places[unhandled .. topic] = place
  end
  counts[place][3] = counts[place][3] + 1
  counts[place][4] = math.min(counts[place][4], time)
end
for i = 2, #counts do
  local oldest = counts[i][4]
  counts[i][4] = oldest == math.huge and 'Infinity' or string.format('%.0f', oldest)
end
return counts
`

const LIST_IDS = `
local prefix = ARGV[1]
return {
  redis.call('LRANGE', prefix .. 'wait', 0, -1),
  redis.call('LRANGE', prefix .. 'active', 0, -1),
  redis.call('ZRANGE', prefix .. 'delayed', 0, -1),
  redis.call('ZRANGE', prefix .. 'failed', 0, -1),
}
`

const HAS_DATA = `
local function hasData(key)
  local length = redis.call('HSTRLEN', key, 'data')
  return length > 2 or (length > 0 and redis.call('HGET', key, 'data') ~= '{}')
end
`

const READ = `${IS_UNHANDLED}${HAS_DATA}
local prefix, found, active = ARGV[1], {}, {}
for _, id in ipairs(redis.call('LRANGE', prefix .. 'active', 0, -1)) do active[id] = true end
for i = 2, #ARGV do
  local id, key = ARGV[i], prefix .. ARGV[i]
  local job = redis.call('HMGET', key, 'name', 'timestamp', 'finishedOn', 'failedReason', 'deid', 'atm', 'stc')
  local dueAt = redis.call('ZSCORE', prefix .. 'delayed', id)
  local state = active[id] and 'running' or 'queued'
  if dueAt then state = isUnhandled(job[4]) and 'unhandled' or 'failed' end
  if redis.call('ZSCORE', prefix .. 'failed', id) then state = 'dead' end
  local isWhole = state == 'dead' and job[3] and job[4] or state ~= 'dead' and not job[3]
  if isWhole and hasData(key) then found[#found + 1] = { id, state, dueAt, unpack(job) } end
end
return found
`

const READ_DATA = `
local prefix, found = ARGV[1], {}
for i = 2, #ARGV do found[#found + 1] = redis.call('HGET', prefix .. ARGV[i], 'data') end
return found
`

const ERASE = `${FINISH}${IS_UNHANDLED}
local topics, prefix, lane, now, states = KEYS[1], ARGV[1], ARGV[2], ARGV[3], {}
for i = 4, #ARGV do
  local id, key, state = ARGV[i], prefix .. ARGV[i], nil
  if redis.call('ZREM', prefix .. 'failed', id) == 1 then
    state = 'dead'
  elseif redis.call('ZREM', prefix .. 'delayed', id) == 1 then
    state = 'failed'
    local job = redis.call('HMGET', key, 'failedReason', 'name')
    if isUnhandled(job[1]) then
      state = 'unhandled'
      redis.call('ZREM', topics .. ':' .. (job[2] or ''), lane .. ':' .. id)
    end
  elseif redis.call('LREM', prefix .. 'wait', -1, id) == 1 then
    state = 'queued'
  end
  if state then
    finish(prefix, id, now)
  elseif redis.call('EXISTS', key) == 1 and redis.call('HEXISTS', key, 'finishedOn') == 0 then
    state = 'running'
  end
  states[#states + 1] = state or ''
end
return states
`

const DISCARD_OLD = `${FINISH}
local prefix, until_, count, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local ids = redis.call('ZRANGEBYSCORE', prefix .. 'failed', '-inf', until_, 'LIMIT', 0, count)
for _, id in ipairs(ids) do
  redis.call('ZREM', prefix .. 'failed', id)
  finish(prefix, id, now)
end
return #ids
`

const DISCARD_FAILED = `${FINISH}
local prefix, now, found = ARGV[1], ARGV[2], {}
for i = 3, #ARGV do
  local deliveryId = ARGV[i]
  local id = redis.call('GET', prefix .. 'de:' .. deliveryId) or deliveryId
  local known = redis.call('HGET', prefix .. id, 'deid') or id
  if known == deliveryId and redis.call('ZREM', prefix .. 'failed', id) == 1 then
    finish(prefix, id, now)
    found[#found + 1] = deliveryId
  end
end
return found
`

/** Each with its digest, by which Redis knows it. */
export const SCRIPTS = {
  take: toScript(TAKE),
  complete: toScript(COMPLETE),
  giveBack: toScript(GIVE_BACK),
  delay: toScript(DELAY),
  countUnhandled: toScript(COUNT_UNHANDLED),
  callBack: toScript(CALL_BACK),
  count: toScript(COUNT),
  listIds: toScript(LIST_IDS),
  read: toScript(READ),
  readData: toScript(READ_DATA),
  erase: toScript(ERASE),
  discardOld: toScript(DISCARD_OLD),
  discardFailed: toScript(DISCARD_FAILED),
}

function toScript(text: string): { readonly text: string; readonly digest: string } {
  return { text, digest: createHash('sha1').update(text).digest('hex') }
}
