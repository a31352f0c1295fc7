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

/** Runs a Lua script. All of its keys must have the same hash tag. */
export type RunScript = (script: string, keys: readonly string[], values: readonly string[]) => Promise<unknown>

/**
 * Runs scripts by their digest, and sends their text only when Redis does not know it. @throws TypeError for any other
 * client.
 */
export function createScriptRunner(client: NodeRedisClient | IoRedisClient): RunScript {
  const { runBySha, runByText } = adaptClient(client)
  const digests = new Map<string, Promise<string>>()
  return async (script, keys, values) => {
    const digest = digests.get(script) ?? sha1(script)
    digests.set(script, digest)
    try {
      return await runBySha(await digest, keys, values)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return runByText(script, keys, values)
    }
  }
}

function adaptClient(client: NodeRedisClient | IoRedisClient): { runBySha: RunScript; runByText: RunScript } {
  if (hasMethod(client, 'evalSha')) {
    return {
      runBySha: (digest, keys, values) => client.evalSha(digest, { keys: [...keys], arguments: [...values] }),
      runByText: (script, keys, values) => client.eval(script, { keys: [...keys], arguments: [...values] }),
    }
  }
  if (hasMethod(client, 'evalsha')) {
    return {
      runBySha: (digest, keys, values) => client.evalsha(digest, keys.length, ...keys, ...values),
      runByText: (script, keys, values) => client.eval(script, keys.length, ...keys, ...values),
    }
  }
  throw new TypeError('`client` is neither a client of `redis` nor of `ioredis`.')
}

function hasMethod<Name extends string>(
  client: NodeRedisClient | IoRedisClient,
  name: Name,
): client is Extract<NodeRedisClient | IoRedisClient, Record<Name, unknown>> {
  return typeof (client as unknown as Record<string, unknown> | undefined)?.[name] === 'function'
}

async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
