import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { programOf } from './build.ts'
import { findExtremes, TaxClient } from './timed-requests.ts'

const COUNT = 1000
/** Two hundred a second. */
const PAUSE_MS = 5
const FALLBACK = { success: true, data: { tax_rate: 0.22 } }

/** Their failure is known at once. */
const AT_ONCE = ['throws', 'rejects', 'upstream-resets', 'upstream-resets-halfway']
/** Nobody knows that they have failed. */
const SILENT = ['never-ends', 'rejects-late', 'throws-in-callback']
const BLOCKING = 'blocks-the-loop'
const EACH = COUNT / [...AT_ONCE, ...SILENT, BLOCKING].length

let shop: ChildProcess
let client: TaxClient
beforeAll(async () => {
  shop = fork(programOf('dying'))
  const [port] = await once(shop, 'message')
  client = new TaxClient(port)
})
afterAll(() => {
  client.close()
  shop.kill()
})

/** Asks so often at each path, and gives the extremes of the times. */
async function ask(ways: readonly string[], pauseMs: number) {
  const paths = Array.from({ length: EACH }, () => ways.map((way) => `/${way}`)).flat()
  const answers = await client.ask(paths, pauseMs)
  expect(answers.map(({ answer }) => answer)).toEqual(paths.map(() => FALLBACK))
  return findExtremes(ways.join(', '), answers)
}

it(`the fallback is answered at once, ${EACH * AT_ONCE.length} times, for handlers that throw or lose their upstream`, async () => {
  const { slowest } = await ask(AT_ONCE, PAUSE_MS)
  expect(slowest).toBeLessThan(1000)
})

it(`the fallback is answered at the deadline, ${EACH * SILENT.length} times, for handlers that die without a word`, async () => {
  const { fastest, slowest } = await ask(SILENT, PAUSE_MS)
  expect(fastest).toBeGreaterThan(3900)
  expect(slowest).toBeLessThan(5000)
})

it(`the fallback is answered at the deadline, ${EACH} times, for handlers that block the event loop until then`, async () => {
  const { fastest, slowest } = await ask([BLOCKING], 0)
  expect(fastest).toBeGreaterThan(3900)
  expect(slowest).toBeLessThan(5000)
})

it('all of them have died as they should, and the responders still answer', async () => {
  const told = once(shop, 'message')
  shop.send('told')
  const codes = {
    ...Object.fromEntries(AT_ONCE.map((way) => [`${way} HANDLER_FAILED`, EACH])),
    ...Object.fromEntries([...SILENT, BLOCKING].map((way) => [`${way} DEADLINE_EXCEEDED`, EACH])),
  }
  expect(await told).toEqual([{ ...codes, uncaught: EACH }, undefined])
  const [last] = await client.ask(['/lives'], 0)
  expect(last?.answer).toEqual({ success: true, data: { tax_rate: 0.1 } })
})
