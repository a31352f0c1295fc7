import { checkOptions } from '../core/check-options.ts'
import type { ErasableStore, Reservation, ResourceVersion } from '../core/idempotency/store.ts'
import { checkResourceName } from '../core/idempotency/stored-resource.ts'
import {
  createScriptRunner,
  type IoRedisClient,
  listenToErrors,
  type NodeRedisClient,
  type RedisClient,
  type UpstashRedisClient,
} from './redis-client.ts'
import { COMPLETE, COUNT_FAILURES, ERASE, RELEASE, RENEW, RESERVE } from './redis-scripts.ts'

export type { IoRedisClient, NodeRedisClient, UpstashRedisClient }

export interface RedisStoreOptions {
  /**
   * A connected client of `redis` (single, pool, sentinel or cluster), a client of `ioredis` (`Redis` or `Cluster`), or
   * one of `@upstash/redis`. It stays yours to close. If nobody listens to its errors, the store does.
   */
  readonly client: RedisClient
  /** The prefix of all keys. Give each service one of its own. Default: `hooklayer:`. */
  readonly prefix?: string | undefined
}

const DAY_MS = String(24 * 60 * 60 * 1000)

/**
 * An idempotency store in Redis 5 or newer, single or cluster, for any number of processes. Each operation is one
 * script and uses the clock of Redis. All keys expire by themselves.
 *
 * - `client`: a client of `redis`, `ioredis` or `@upstash/redis`. Configure it to detect a connection that has died
 *   silently: `socketTimeout` with ioredis, `pingInterval` and `socket.socketTimeout` with `redis`.
 * - `prefix` (default: `hooklayer:`): one for each service.
 *
 * Set `maxmemory-policy noeviction`. A failover can lose the last writes, after which an event may be handled again.
 *
 * An event of a resource is stored as `hooklayer:{orders/OeRyhjDlje}claim:<key>`, with the resource as the hash tag. So
 * it is in the same cluster slot as `hooklayer:{orders/OeRyhjDlje}version`. An event without a resource is stored as
 * `hooklayer:claim:<key>`. `hooklayer:failures:<topic>` has the number of consecutive failures.
 *
 * @throws TypeError if `client` is no such client.
 * @example
 * const client = createClient()
 * client.on('error', (error) => console.error(error.message))
 * const store = createRedisStore({ client: await client.connect() })
 * const receiver = createReceiver({ secrets, idempotency: { store } })
 * @see docs/reliability.md
 */
export function createRedisStore(options: RedisStoreOptions): ErasableStore {
  checkOptions('createRedisStore', options, {}, ['client', 'prefix'])
  const { client, prefix = 'hooklayer:' } = options
  const run = createScriptRunner(client)
  listenToErrors(client)
  const buildKeys = (key: string, token: string) => {
    const base = `${prefix}${readHashTag(token)}`
    return { event: `${base}claim:${key}`, version: `${base}version` }
  }
  /** The reply is a number, or text if the client is configured to return numbers as text. */
  const isHeld = async (reply: Promise<unknown>) => Number(await reply) === 1

  return {
    async reserve(key, { leaseMs, version, names = [] }) {
      const token = `${crypto.randomUUID()} ${toHashTag(version)}`
      const keys = buildKeys(key, token)
      const values = [token, String(leaseMs), DAY_MS, version?.updatedAt ?? '', ...names]
      return toReservation(await run(RESERVE, version ? [keys.event, keys.version] : [keys.event], values), token)
    },
    renew(key, token, { leaseMs, done }) {
      return isHeld(run(RENEW, [buildKeys(key, token).event], [token, String(leaseMs), DAY_MS, ...done]))
    },
    complete(key, token, { retentionMs, version, done }) {
      const keys = buildKeys(key, token)
      const isSame = version && readHashTag(token) === toHashTag(version)
      const names = done ? ['names', ...done] : ['1']
      const values = [token, String(retentionMs), isSame ? version.updatedAt : '', ...names]
      return isHeld(run(COMPLETE, isSame ? [keys.event, keys.version] : [keys.event], values))
    },
    release(key, token, { done, retentionMs }) {
      return isHeld(run(RELEASE, [buildKeys(key, token).event], [token, String(retentionMs), ...done]))
    },
    async countFailures(topic, change) {
      return Number(await run(COUNT_FAILURES, [`${prefix}failures:${topic}`], [change, DAY_MS]))
    },
    async erase(resource) {
      const key = `${prefix}${toHashTag({ resource: checkResourceName(resource) })}version`
      return { versions: Number(await run(ERASE, [key], [])) }
    },
  }
}

/** The hash tag of a resource. Tokens end with it, because `renew` and `release` do not get the resource. */
function toHashTag(version: Pick<ResourceVersion, 'resource'> | undefined): string {
  return version ? `{${version.resource.replace(/[%{}]/g, encodeURIComponent)}}` : ''
}

function readHashTag(token: string): string {
  return token.slice(token.indexOf(' ') + 1)
}

function toReservation(reply: unknown, token: string): Reservation {
  const [state, age, past, ...fields] = (reply as readonly unknown[]).map(String)
  if (state === 'completed' || state === 'in-progress') return { state }
  if (state !== 'reserved') throw new Error('Redis gave a reply of an unknown form.')
  const done = fields.map((field) => field.slice('done:'.length))
  return { state, token, done, stale: age === 'stale', wasCompleted: past === 'completed' }
}
