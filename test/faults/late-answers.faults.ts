import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNodeListener } from 'hooklayer/node'
import { createResponder } from 'hooklayer/responder'
import { TEST_SECRET } from 'hooklayer/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findExtremes, TaxClient } from './timed-requests.ts'

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
let client: TaxClient

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  client = new TaxClient(port)
})
afterAll(() => {
  client.close()
  server.closeAllConnections()
  server.close()
})

it(`the fallback is answered ${COUNT} times, when the deadline has passed and before Commerce Layer gives up`, {
  timeout: 60_000,
}, async () => {
  const answers = await client.ask(Array<string>(COUNT).fill('/'), PAUSE_MS)
  expect(answers.filter(({ answer }) => JSON.stringify(answer) !== JSON.stringify(FALLBACK))).toEqual([])
  expect(calls).toBe(COUNT)
  const { fastest, slowest } = findExtremes('late handlers', answers)
  expect(fastest).toBeGreaterThan(3900)
  expect(slowest).toBeLessThan(5000)
})
