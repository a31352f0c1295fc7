import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'

export interface RedisRest {
  readonly url: string
  readonly token: string
  close(): Promise<void>
}

type Command = readonly [name: string, ...values: string[]]
type Answer = { readonly result: unknown } | { readonly error: string }

const TOKEN = 'token-of-the-rest-front'

/**
 * A small REST front of our own before a real Redis. It speaks as much of Upstash's REST API as its client needs here:
 * one command at `/`, several at `/pipeline`, and answers in base64. It is not Upstash's server.
 *
 * @see https://upstash.com/docs/redis/features/restapi
 */
export async function startRedisRest(redisUrl: string): Promise<RedisRest> {
  const redis = new Redis(redisUrl)

  async function run([name, ...values]: Command, encode: (reply: unknown) => unknown): Promise<Answer> {
    try {
      return { result: encode(await redis.call(name, ...values.map(String))) }
    } catch (error) {
      return { error: (error as Error).message }
    }
  }

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const answer = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body))
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return answer(401, { error: 'WRONGPASS' })
    const encode = request.headers['upstash-encoding'] === 'base64' ? toBase64 : (reply: unknown) => reply
    const body = JSON.parse(Buffer.concat(chunks).toString())
    if (request.url === '/pipeline') {
      const answers = await Promise.all((body as Command[]).map((command) => run(command, encode)))
      return answer(200, answers)
    }
    const one = await run(body, encode)
    return answer('error' in one ? 400 : 200, one)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: TOKEN,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await redis.quit()
    },
  }
}

function toBase64(reply: unknown): unknown {
  if (Array.isArray(reply)) return reply.map(toBase64)
  return typeof reply === 'string' ? Buffer.from(reply).toString('base64') : reply
}
