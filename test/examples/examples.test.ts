import { TEST_SECRET } from 'hooklayer/testing'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { runScript, startServer } from './child.ts'
import { startWorker } from './cloudflare.ts'
import { testCloudflareQueues } from './cloudflare-queues.ts'
import { testDurable } from './durable.ts'
import { testNextCron } from './next-cron.ts'
import { testQstash } from './qstash.ts'
import { openShop, type Shop } from './shop.ts'
import { testSqsLambda } from './sqs-lambda.ts'

const HANDLED = '200 {"outcome":"handled"}'
const REFUSED = /^401 .*"SIGNATURE_MISMATCH"/m
const PRINTED = 'john@example.com placed order 1234'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
}, 120_000)
afterAll(() => shop?.close())

describe.concurrent('examples, installed from the packed package', { timeout: 360_000 }, () => {
  receives('express')
  receives('koa')
  receives('fastify')
  receives('hono')
  receives('custom-adapter')
  // Next ends by the code that stands for SIGTERM.
  receives('next-app', { isBuilt: true, exitCode: 143 })
  receives('next-pages', { isBuilt: true, exitCode: 143 })

  it('lambda receives an order and refuses a forged one', async () => {
    const folder = shop.folderOf('lambda')
    const said = await runScript(folder, 'start')
    expect(said).toContain(HANDLED)
    expect(said).toContain(PRINTED)
    expect(await runScript(folder, 'start', { args: ['a-guess'] })).toMatch(REFUSED)
  })

  it('cloudflare-worker receives an order and refuses a forged one', async () => {
    const folder = shop.folderOf('cloudflare-worker')
    const worker = await startWorker(folder, { bindings: { CL_SECRET_ORDERS__PLACE: TEST_SECRET } })
    try {
      expect(await runScript(folder, 'deliver', worker)).toBe(HANDLED)
      expect(await runScript(folder, 'deliver', { ...worker, args: ['a-guess'] })).toMatch(REFUSED)
      await vi.waitFor(() => expect(worker.output()).toContain(PRINTED))
    } finally {
      await worker.dispose()
    }
  })

  testDurable(() => shop)
  testSqsLambda(() => shop)
  testCloudflareQueues(() => shop)
  testQstash(() => shop)
  testNextCron(() => shop)
})

/** The road of every server: start, an order, a forged one, SIGTERM. */
function receives(example: string, { isBuilt = false, exitCode = 0 } = {}): void {
  it(`${example} receives an order, refuses a forged one, and ends on SIGTERM`, async () => {
    const folder = shop.folderOf(example)
    if (isBuilt) await runScript(folder, 'build')
    const server = await startServer(folder)
    try {
      expect(await runScript(folder, 'deliver', server)).toBe(HANDLED)
      expect(await runScript(folder, 'deliver', { ...server, args: ['a-guess'] })).toMatch(REFUSED)
      server.process.kill('SIGTERM')
      expect(await server.ended).toBe(exitCode)
      expect(server.output()).toContain(PRINTED)
    } finally {
      server.process.kill('SIGKILL')
    }
  })
}
