import { join } from 'node:path'
import { build } from 'esbuild'
import { TEST_SECRET } from 'hooklayer/testing'
import { Miniflare, type WorkerdStructuredLog } from 'miniflare'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { runScript, startServer } from './child.ts'
import { openShop, type Shop } from './shop.ts'

const HANDLED = '200 {"outcome":"handled"}'
const REFUSED = /^401 .*"SIGNATURE_MISMATCH"/m
const PRINTED = 'john@example.com placed order 1234'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
}, 120_000)
afterAll(() => shop?.close())

describe.concurrent('examples, installed from the packed package', { timeout: 240_000 }, () => {
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
    const bundle = await build({
      entryPoints: [join(folder, 'src/worker.ts')],
      bundle: true,
      write: false,
      format: 'esm',
      target: 'es2022',
      conditions: ['workerd', 'worker', 'browser'], // as wrangler has them
    })
    let output = ''
    const worker = new Miniflare({
      modules: true,
      script: bundle.outputFiles.map(({ text }) => text).join(''),
      compatibilityDate: '2026-04-01',
      bindings: { CL_SECRET_ORDERS_PLACE: TEST_SECRET },
      handleStructuredLogs: ({ message }: WorkerdStructuredLog) => {
        output += message
      },
    })
    try {
      const port = Number((await worker.ready).port)
      expect(await runScript(folder, 'deliver', { port })).toBe(HANDLED)
      expect(await runScript(folder, 'deliver', { port, args: ['a-guess'] })).toMatch(REFUSED)
      await vi.waitFor(() => expect(output).toContain(PRINTED))
    } finally {
      await worker.dispose()
    }
  })
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
