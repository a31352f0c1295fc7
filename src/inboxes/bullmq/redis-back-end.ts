import { setTimeout as sleep } from 'node:timers/promises'
import type { Queue } from 'bullmq'
import type { Redis, RedisOptions } from 'ioredis'
import { COMMAND_MS, ignore, type OpenBackEnd, REWATCH_MS, type Watch, type WatchOptions } from './back-end.ts'
import { toDamagedData } from './job.ts'
import { type BullMq, loadIoRedis } from './load-peers.ts'
import { createRedisJobs, findLocked } from './redis-jobs.ts'
import { isRedisClient, type RedisOption } from './redis-option.ts'

/** Opens a connection to the place that the user has named. */
type Connect = (options: { readonly timeoutMs: number; readonly enableOfflineQueue: boolean }) => Redis

/** The fields of a job in which BullMQ counts: attempts that were started and made, and lost workers. */
const COUNTS = ['ats', 'atm', 'stc']

/** How long one command waits for a marker. */
const BLOCK_MS = 10_000

export async function openRedis(redis: RedisOption, { createRedisBackend }: BullMq): Promise<OpenBackEnd> {
  const connect = await createConnect(redis)
  const client = connect({ timeoutMs: COMMAND_MS, enableOfflineQueue: false })
  await waitUntilReady(client)
  return {
    connection: client,
    create: (name, opts) => createRedisBackend(name, opts),
    openJobs: (queues) => createRedisJobs(client, queues),
    findLocked: (queue, token) => findLocked(client, queue.toKey(''), token),
    async repairJob(queue, id) {
      const key = queue.toKey(id)
      const data = (await client.hget(key, 'data')) ?? ''
      const counts = await client.hmget(key, ...COUNTS)
      const wrongCounts = COUNTS.filter((_, i) => !/^\d{1,9}$/.test(counts[i] ?? '0'))
      await client.hdel(key, 'progress', 'parent', 'parentKey', ...wrongCounts)
      await client.hset(key, { opts: '{}', data: isJson(data) ? data : toDamagedData(data) })
    },
    async findWarning() {
      // An ACL may forbid `INFO`.
      const memory = await client.info('memory').catch(() => '')
      const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1]
      if (policy === undefined || policy === 'noeviction') return undefined
      return `Redis may evict acknowledged deliveries: its maxmemory-policy is ${policy} instead of noeviction.`
    },
    onReconnect: (listener) => void client.on('ready', listener),
    announce: (queue) => client.zadd(toMarkerKey(queue), ...MARKER),
    watch: (options) => watchMarkers(connect, client, options),
    async close() {
      client.disconnect()
    },
  }
}

/** Rejects with the first error, such as a wrong password: ioredis itself would try again and again. */
async function waitUntilReady(client: Redis): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => client.once('ready', resolve).once('error', reject))
  } catch (error) {
    client.disconnect()
    throw error
  }
}

/**
 * A client of the user only says where to connect: with its options, commands would wait in memory while Redis is
 * down, after their callers have timed out. Here they fail at once.
 */
async function createConnect(redis: RedisOption): Promise<Connect> {
  const create = await createFactory(redis)
  const { reconnectOnError }: RedisOptions = Object(isRedisClient(redis) ? redis.options : redis)
  return ({ timeoutMs, enableOfflineQueue }) => {
    const client = create({
      lazyConnect: false,
      // BullMQ reads replies in this form.
      replyMapping: 'legacy',
      stringNumbers: false,
      enableOfflineQueue,
      // It asks `INFO`, which an ACL may forbid. While Redis loads its data, commands fail and are tried again.
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      connectTimeout: COMMAND_MS,
      commandTimeout: timeoutMs,
      // A host that has died closes no connection, and the operating system would wait for a quarter of an hour.
      socketTimeout: timeoutMs,
      retryStrategy: (times: number) => Math.min(times * 100, 1000),
      // The address may have moved to a new primary, while the old one lives on as its replica.
      reconnectOnError: (error) => reconnectOnError?.(error) || error.message.includes('READONLY'),
    })
    return client.on('error', ignore)
  }
}

interface OwnOptions extends Pick<RedisOptions, 'retryStrategy' | 'reconnectOnError'> {
  readonly [name: string]: unknown
  readonly replyMapping: 'legacy'
}

async function createFactory(redis: RedisOption): Promise<(own: OwnOptions) => Redis> {
  if (isRedisClient(redis)) return (own) => redis.duplicate(own) as Redis
  const { Redis } = await loadIoRedis()
  const { url, ...options }: { readonly url?: unknown } = typeof redis === 'string' ? { url: redis } : redis
  return (own) => (typeof url === 'string' ? new Redis(url, { ...options, ...own }) : new Redis({ ...options, ...own }))
}

/** BullMQ adds a marker to a set of each queue when it has a job. The score is when a delayed job is due. */
const MARKER = [0, '0'] as const

function toMarkerKey(queue: Queue): string {
  return queue.toKey('marker')
}

/** Takes markers as BullMQ's own workers do. One marker wakes one process, which puts it back if it cannot take a job. */
function watchMarkers(connect: Connect, client: Redis, { queues, isWanted, onJob }: WatchOptions): Watch {
  const byKey = new Map(queues.map((queue) => [toMarkerKey(queue), queue]))
  const closing = new AbortController()
  let blocking: Redis | undefined
  let running: Promise<void> | undefined
  /** Apart from the promise, because `run` may end before it gives one. */
  let isRunning = false

  async function takeMarker(): Promise<void> {
    blocking ??= connect({ timeoutMs: BLOCK_MS + COMMAND_MS, enableOfflineQueue: true })
    const [key, member, score] = (await blocking.bzpopmin([...byKey.keys()], BLOCK_MS / 1000)) ?? []
    const queue = byKey.get(key ?? '')
    if (!queue) return
    if (isWanted()) onJob(queue, Math.max(0, Math.ceil(Number(score)) - Date.now()))
    else await client.zadd(String(key), Number(score), String(member))
  }

  async function run(): Promise<void> {
    while (isWanted() && !closing.signal.aborted) {
      try {
        await takeMarker()
      } catch {
        await sleep(REWATCH_MS, undefined, { signal: closing.signal }).catch(ignore)
        for (const queue of queues) onJob(queue, 0)
      }
    }
    isRunning = false
  }

  return {
    start() {
      if (isRunning) return
      isRunning = true
      running = run()
    },
    async close() {
      closing.abort()
      blocking?.disconnect()
      await running
    },
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
