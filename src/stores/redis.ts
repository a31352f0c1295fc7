import type { IdempotencyStore, Reservation, ResourceVersion } from '../core/idempotency/store.ts'
import { type IoRedisClient, type NodeRedisClient, scriptsOf } from './redis-client.ts'
import { COMPLETE, RELEASE, RENEW, RESERVE } from './redis-scripts.ts'

export type { IoRedisClient, NodeRedisClient }

export interface RedisStoreOptions {
  /** A client of `redis` (single, pool, sentinel or cluster; connected) or of `ioredis` (`Redis` or `Cluster`): yours to close. */
  readonly client: NodeRedisClient | IoRedisClient
  /** What every key begins with. Default: `hooklayer:`. */
  readonly prefix?: string
}

const DAY_MS = String(24 * 60 * 60 * 1000)

/**
 * Remembers events in Redis 5 or newer, or in a cluster of them, for any number of processes. Each operation is one script, and
 * the clock is Redis's. An event with a version has its resource for a hash tag, and so lies in a cluster's slot where the
 * version lies too: `hooklayer:{orders/OeRyhjDlje}claim:<key>` and `hooklayer:{orders/OeRyhjDlje}version`; one without lies at
 * `hooklayer:claim:<key>`. Everything expires by itself.
 *
 * A client that waits longer than a moment is not waited for. But it is the client that has to notice when a connection has died in
 * silence, as with its host, and to make another: have ioredis do so with `socketTimeout`, and `redis` with `pingInterval` and
 * `socket.socketTimeout`.
 *
 * Redis remembers what its settings let it: use `maxmemory-policy noeviction`, and know that a fail-over can lose the last
 * moments, after which an event may be handled again.
 *
 * @throws TypeError if `client` is neither kind of client.
 */
export function createRedisStore({ client, prefix = 'hooklayer:' }: RedisStoreOptions): IdempotencyStore {
  const run = scriptsOf(client)
  const keysOf = (key: string, token: string) => {
    const place = `${prefix}${placeIn(token)}`
    return { claim: `${place}claim:${key}`, version: `${place}version` }
  }
  /** A number, or text where the client is told to give numbers as text. */
  const isHeld = async (reply: Promise<unknown>) => Number(await reply) === 1

  return {
    async reserve(key, { leaseMs, version }) {
      const token = `${crypto.randomUUID()} ${placeOf(version)}`
      const keys = keysOf(key, token)
      const values = [token, String(leaseMs), DAY_MS, ...(version ? [version.updatedAt] : [])]
      return reservation(await run(RESERVE, version ? [keys.claim, keys.version] : [keys.claim], values), token)
    },
    renew(key, token, { leaseMs, done }) {
      return isHeld(run(RENEW, [keysOf(key, token).claim], [token, String(leaseMs), DAY_MS, ...done]))
    },
    complete(key, token, { retentionMs, version }) {
      const keys = keysOf(key, token)
      const isSame = version && placeIn(token) === placeOf(version)
      const values = [token, String(retentionMs), ...(isSame ? [version.updatedAt] : [])]
      return isHeld(run(COMPLETE, isSame ? [keys.claim, keys.version] : [keys.claim], values))
    },
    release(key, token, { done, retentionMs }) {
      return isHeld(run(RELEASE, [keysOf(key, token).claim], [token, String(retentionMs), ...done]))
    },
  }
}

/** The hash tag of a resource. The token ends with it, because `renew` and `release` are told nothing of the resource. */
function placeOf(version: ResourceVersion | undefined): string {
  return version ? `{${version.resource.replace(/[%{}]/g, encodeURIComponent)}}` : ''
}

function placeIn(token: string): string {
  return token.slice(token.indexOf(' ') + 1)
}

function reservation(reply: unknown, token: string): Reservation {
  const [state, age, ...done] = (reply as readonly unknown[]).map(String)
  if (state === 'reserved') return { state, token, done, stale: age === 'stale' }
  return { state: state === 'completed' ? state : 'in-progress' }
}
