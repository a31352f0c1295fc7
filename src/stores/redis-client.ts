import { defaultLogger } from '../core/logger.ts'

/** The part of a client of `redis` (node-redis) that the store uses: single, pool, sentinel or cluster. */
export interface NodeRedisClient {
  eval(script: string, options: NodeRedisArguments): Promise<unknown>
  evalSha(sha1: string, options: NodeRedisArguments): Promise<unknown>
}

interface NodeRedisArguments {
  keys: string[]
  arguments: string[]
}

/** The part of a client of `ioredis` that the store uses: `Redis` or `Cluster`. */
export interface IoRedisClient {
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
  evalsha(sha1: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
}

/** The part of a client of `@upstash/redis` that the store uses. It has no connection, and speaks HTTP. */
export interface UpstashRedisClient {
  eval(script: string, keys: string[], values: string[]): Promise<unknown>
  evalsha(sha1: string, keys: string[], values: string[]): Promise<unknown>
  /** Only tells it from a client of `ioredis`. */
  createScript(script: string): unknown
}

export type RedisClient = NodeRedisClient | IoRedisClient | UpstashRedisClient

/** Runs a Lua script. All of its keys must have the same hash tag. */
export type RunScript = (script: string, keys: readonly string[], values: readonly string[]) => Promise<unknown>

/**
 * Runs scripts by their digest, and sends their text only when Redis does not know it. @throws TypeError for any other
 * client.
 */
export function createScriptRunner(client: RedisClient): RunScript {
  const { runBySha, runByText } = adaptClient(client)
  const digests = new Map<string, Promise<string>>()
  return async (script, keys, values) => {
    const digest = digests.get(script) ?? sha1(script)
    digests.set(script, digest)
    try {
      return await runBySha(await digest, keys, values)
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('NOSCRIPT'))) throw error
      return runByText(script, keys, values)
    }
  }
}

function adaptClient(client: RedisClient): { runBySha: RunScript; runByText: RunScript } {
  if (hasMethod(client, 'evalSha')) {
    return {
      runBySha: (digest, keys, values) => client.evalSha(digest, { keys: [...keys], arguments: [...values] }),
      runByText: (script, keys, values) => client.eval(script, { keys: [...keys], arguments: [...values] }),
    }
  }
  if (hasMethod(client, 'createScript')) {
    return {
      runBySha: (digest, keys, values) => client.evalsha(digest, [...keys], [...values]),
      runByText: (script, keys, values) => client.eval(script, [...keys], [...values]),
    }
  }
  if (hasMethod(client, 'evalsha')) {
    return {
      runBySha: (digest, keys, values) => client.evalsha(digest, keys.length, ...keys, ...values),
      runByText: (script, keys, values) => client.eval(script, keys.length, ...keys, ...values),
    }
  }
  throw new TypeError('`client` must be a client of `redis`, `ioredis` or `@upstash/redis`.')
}

function hasMethod<Name extends string>(
  client: RedisClient,
  name: Name,
): client is Extract<RedisClient, Record<Name, unknown>> {
  return typeof (client as unknown as Record<string, unknown> | undefined)?.[name] === 'function'
}

interface Emitter {
  on(event: 'error', listener: (error: unknown) => void): unknown
  listenerCount(event: 'error'): number
}

const WARN_EVERY_MS = 60_000

/**
 * Listens to the errors of a client to which nobody listens: one of `redis` would end the process. It warns once a
 * minute, and not at all once somebody else listens.
 */
export function listenToErrors(client: object): void {
  if (!isEmitter(client) || client.listenerCount('error') > 0) return
  let warnFrom = 0
  client.on('error', (cause) => {
    if (client.listenerCount('error') > 1 || performance.now() < warnFrom) return
    warnFrom = performance.now() + WARN_EVERY_MS
    defaultLogger.warn('The client of Redis has an error, and nobody else listens to it.', { cause })
  })
}

function isEmitter(client: object): client is Emitter {
  const { on, listenerCount } = client as Partial<Emitter>
  return typeof on === 'function' && typeof listenerCount === 'function'
}

async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
