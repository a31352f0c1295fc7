import { once } from 'node:events'
import { Agent, createServer, request as openRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNodeListener } from 'hooklayer/node'
import { createResponder } from 'hooklayer/responder'
import { createRequest, TEST_SECRET } from 'hooklayer/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'

const COUNT = 1000
/** Two hundred a second. */
const PAUSE_MS = 5
const FALLBACK = { success: true, data: { tax_rate: 0.22 } }

/** A handler that never ends, one that ends too late, and one that throws too late. */
const HANDLERS: readonly (() => Promise<{ tax_rate: number }>)[] = [
  () => new Promise(() => {}),
  () => sleep(5000, { tax_rate: 0.1 }),
  () => sleep(4500).then(() => Promise.reject(new Error('late'))),
]

let calls = 0
const logger = { warn() {}, error() {} }
const responder = createResponder('tax', { secret: TEST_SECRET, fallback: { tax_rate: 0.22 }, logger }, () => {
  calls += 1
  return (HANDLERS[calls % HANDLERS.length] ?? HANDLERS[0])?.() ?? { tax_rate: 0 }
})
const server = createServer(createNodeListener(responder))
const agent = new Agent({ keepAlive: true })

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => {
  agent.destroy()
  server.closeAllConnections()
  server.close()
})

it(`the fallback is answered ${COUNT} times, when the deadline has passed and before Commerce Layer gives up`, {
  timeout: 60_000,
}, async () => {
  const { headers, body } = await createRequest('tax')
  const { port } = server.address() as AddressInfo
  async function ask(): Promise<{ ms: number; answer: unknown }> {
    const startedAt = performance.now()
    const sent = openRequest({ port, host: '127.0.0.1', method: 'POST', headers, agent }).end(body)
    const [response] = await once(sent, 'response')
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += chunk
    return { ms: performance.now() - startedAt, answer: JSON.parse(text) }
  }
  const asking: ReturnType<typeof ask>[] = []
  for (let i = 0; i < COUNT; i += 1) {
    asking.push(ask())
    await sleep(PAUSE_MS)
  }
  const answers = await Promise.all(asking)
  expect(answers.filter(({ answer }) => JSON.stringify(answer) !== JSON.stringify(FALLBACK))).toEqual([])
  expect(calls).toBe(COUNT)
  const times = answers.map(({ ms }) => ms).sort((a, b) => a - b)
  const within = times.filter((ms) => ms >= 3900 && ms <= 4100).length
  const [fastest = 0, slowest = 0] = [times[0], times.at(-1)]
  console.log(`${within} of ${COUNT} within 3.9 and 4.1 s: from ${fastest.toFixed(0)} to ${slowest.toFixed(0)} ms`)
  expect(fastest).toBeGreaterThan(3900)
  expect(slowest).toBeLessThan(5000)
})
