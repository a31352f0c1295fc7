import { wrongOption } from '../../core/check-options.ts'

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

/** Whether an object was written as options, and is no instance of a class: no client, pool or `URL`. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** @throws TypeError if options say in two ways where the engine is, or in none. */
export function checkNamesPlace(
  owner: string,
  name: string,
  options: Readonly<Record<string, unknown>>,
  {
    urls,
    others,
    expected,
  }: { readonly urls: readonly string[]; readonly others: readonly string[]; expected: string },
): void {
  const given = (key: string) => options[key] !== undefined && options[key] !== null && options[key] !== ''
  const [url, second = others.find(given)] = urls.filter(given)
  if (url === undefined && !others.some(given)) throw wrongOption(owner, name, expected)
  if (url !== undefined && second !== undefined) {
    throw wrongOption(owner, name, `names two places, by \`${url}\` and \`${second}\`. Give one of them`)
  }
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
