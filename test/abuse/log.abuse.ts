import { Agent, request } from 'node:http'
import { expect, it } from 'vitest'
import { signed } from '../deliveries.ts'
import { startShop } from './shop.ts'

const REQUESTS = 20_000
const CONNECTIONS = 50

/** What strangers send: each is refused for another reason. */
const REFUSED: readonly {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}[] = [
  { method: 'GET' },
  { headers: {} },
  { headers: { 'x-commercelayer-signature': signed('') } },
  { headers: { 'x-commercelayer-signature': signed(''), 'x-commercelayer-topic': 'no topic' } },
  { headers: { 'x-commercelayer-signature': 'short', 'x-commercelayer-topic': 'orders.place' } },
  { headers: { 'x-commercelayer-signature': signed(''), 'x-commercelayer-topic': 'made.up' } },
  { headers: { 'x-commercelayer-signature': signed(''), 'x-commercelayer-topic': 'orders.place' }, body: '{}' },
  { headers: { 'x-commercelayer-signature': signed(''), 'x-commercelayer-topic': 'customers.create' }, body: '<' },
  { headers: { 'content-encoding': 'gzip' } },
]

it.each(['node', 'express', 'koa', 'fastify', 'fetch'] as const)(
  '20,000 refused requests do not write more than 20 lines on %s',
  async (host) => {
    const shop = await startShop(host)
    const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
    const send = (number: number) =>
      new Promise<number>((resolve, reject) => {
        const { method = 'POST', headers = {}, body = '' } = REFUSED[number % REFUSED.length] ?? {}
        const sent = request(shop.url, { method, headers, agent }, (answer) => {
          answer.resume().once('end', () => resolve(Number(answer.statusCode)))
        })
        sent.once('error', reject)
        sent.end(body)
      })
    let next = 0
    const statuses = new Set<number>()
    const work = async () => {
      while (next < REQUESTS) statuses.add(await send(next++))
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, work))
    agent.destroy()
    expect([...statuses].sort()).toEqual([400, 401, 405, 415])
    const lines = shop.lines()
    console.log(`${host}: ${lines.length} lines for ${REQUESTS} refused requests`)
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.length).toBeLessThanOrEqual(20)
  },
)
