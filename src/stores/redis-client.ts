/** A client of `redis` (node-redis), as far as the store uses it: single, pool, sentinel or cluster. */
export interface NodeRedisClient {
  eval(script: string, options: NodeRedisArguments): Promise<unknown>
  evalSha(sha1: string, options: NodeRedisArguments): Promise<unknown>
}

interface NodeRedisArguments {
  keys: string[]
  arguments: string[]
}

/** A client of `ioredis`, as far as the store uses it: `Redis` or `Cluster`. */
export interface IoRedisClient {
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
  evalsha(sha1: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
}

/** Runs a script: all of its keys have the same hash tag. */
export type RunScript = (script: string, keys: readonly string[], values: readonly string[]) => Promise<unknown>

/** @throws TypeError if it is neither kind of client. */
export function scriptsOf(client: NodeRedisClient | IoRedisClient): RunScript {
  const { bySha, byText } = callsOf(client)
  const digests = new Map<string, Promise<string>>()
  return async (script, keys, values) => {
    const digest = digests.get(script) ?? sha1(script)
    digests.set(script, digest)
    try {
      return await bySha(await digest, keys, values)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return byText(script, keys, values)
    }
  }
}

function callsOf(client: NodeRedisClient | IoRedisClient): { bySha: RunScript; byText: RunScript } {
  if (has(client, 'evalSha')) {
    return {
      bySha: (digest, keys, values) => client.evalSha(digest, { keys: [...keys], arguments: [...values] }),
      byText: (script, keys, values) => client.eval(script, { keys: [...keys], arguments: [...values] }),
    }
  }
  if (has(client, 'evalsha')) {
    return {
      bySha: (digest, keys, values) => client.evalsha(digest, keys.length, ...keys, ...values),
      byText: (script, keys, values) => client.eval(script, keys.length, ...keys, ...values),
    }
  }
  throw new TypeError('`client` is neither a client of `redis` nor of `ioredis`.')
}

function has<Name extends string>(
  client: NodeRedisClient | IoRedisClient,
  name: Name,
): client is Extract<NodeRedisClient | IoRedisClient, Record<Name, unknown>> {
  return typeof (client as unknown as Record<string, unknown> | undefined)?.[name] === 'function'
}

async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
