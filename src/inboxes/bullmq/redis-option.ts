import { wrongOption } from '../../core/check-options.ts'
import { checkNamesPlace, isPlainObject } from './check-place.ts'

/** Options of ioredis. These say where Redis is, and all others are passed on. */
interface RedisPlace {
  /** Instead of the others: `redis://…`, or `rediss://…` with TLS. */
  readonly url?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  /** A Unix socket. */
  readonly path?: string | undefined
  readonly sentinels?: readonly object[] | null | undefined
}

/** A client of ioredis. */
export interface RedisClient {
  duplicate(override?: object): unknown
  defineCommand(name: string, definition: { readonly lua: string; readonly numberOfKeys?: number }): void
  readonly options: object
}

export type RedisOption = string | RedisPlace | Readonly<Record<string, unknown>> | RedisClient

const PLACES = ['url', 'host', 'port', 'path', 'sentinels', 'Connector']
const EXPECTED =
  'must be a URL `redis://…`, options of ioredis with a `url`, `host`, `port`, `path` or `sentinels`, or a client of ioredis'

/** @throws TypeError if the option does not say where Redis is, or is of a kind that cannot be used. */
export function checkRedis(owner: string, redis: unknown): RedisOption {
  if (isRedisClient(redis)) checkClient(owner, redis)
  else if (typeof redis === 'string') checkUrl(owner, redis)
  else if (isPlainObject(redis)) checkPlace(owner, redis)
  else throw wrongOption(owner, 'redis', EXPECTED)
  return redis
}

export function isRedisClient(redis: unknown): redis is RedisClient {
  const { duplicate, defineCommand, options } = Object(redis)
  return typeof duplicate === 'function' && typeof defineCommand === 'function' && typeof options === 'object'
}

function checkClient(owner: string, client: RedisClient): void {
  if ('isCluster' in client && client.isCluster === true) {
    throw wrongOption(owner, 'redis', 'must not be a cluster: all keys of an inbox must be on one node')
  }
  checkKeyPrefix(owner, Object(client.options).keyPrefix)
}

function checkPlace(owner: string, place: Readonly<Record<string, unknown>>): void {
  checkNamesPlace(owner, 'redis', place, { urls: ['url'], others: PLACES.slice(1), expected: EXPECTED })
  checkKeyPrefix(owner, place.keyPrefix)
  if (place.url !== undefined) checkUrl(owner, place.url)
}

function checkUrl(owner: string, url: unknown): void {
  if (typeof url !== 'string' || !/^(?:rediss?:\/\/[^/?#]|\/.)/i.test(url)) throw wrongOption(owner, 'redis', EXPECTED)
  checkKeyPrefix(owner, new URLSearchParams(url.split('?')[1]).get('keyPrefix'))
}

/** BullMQ's scripts do not work with it, because they compose the names of keys. */
function checkKeyPrefix(owner: string, keyPrefix: unknown): void {
  if (keyPrefix) throw wrongOption(owner, 'redis', 'must have no `keyPrefix`. Use the option `prefix` of the inbox')
}
