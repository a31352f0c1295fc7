import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createDelivery } from 'hooklayer/testing'
import { expect, vi } from 'vitest'
import { installFixture } from '../fixtures/install.ts'
import { buildWithCache } from '../fixtures/next-build.ts'
import { noPostgres, startPostgres } from '../servers/postgres.ts'
import { describeUnless, itUnless } from '../unless.ts'
import { EXAMPLE_SECRET, runScript, startServer } from './child.ts'
import { hangUpOn } from './hang-ups.ts'
import { testServerExample } from './server-example.ts'
import { useShop } from './shop.ts'

const noNext = await installFixture('next')

const CRON_SECRET = 'a-long-one'

describeUnless(noNext)('examples, installed from the packed package', { timeout: 360_000, concurrent: true }, () => {
  const shop = useShop('next-app', 'next-pages', 'next-cron')

  // Next exits with the code for SIGTERM.
  testServerExample(shop, 'next-app', { build, exitCode: 143 })
  testServerExample(shop, 'next-pages', { build: buildWithoutTypes, exitCode: 143, probed: '/api/webhooks' })

  itUnless(noPostgres)('next-cron survives hang-ups, and handles what is stored when it is called', async () => {
    const folder = shop.folderOf('next-cron')
    await buildWithoutTypes(folder)
    const postgres = await startPostgres()
    const server = await startServer(folder, { env: { DATABASE_URL: postgres.url, CRON_SECRET } })
    const work = (secret: string) =>
      fetch(`http://localhost:${server.port}/cron`, { headers: { authorization: `Bearer ${secret}` } })
    try {
      // The inbox connects on first use. On a busy machine that may take longer than one `put` waits.
      await vi.waitFor(async () => expect((await work(CRON_SECRET)).status).toBe(200), { timeout: 60_000 })
      await hangUpOn(server.port)
      const numbers = ['A', 'B', 'C'].map((name) => `${name}-${Date.now()}`)
      for (const number of numbers) {
        const delivery = await createDelivery('orders.place', { secret: EXAMPLE_SECRET, resource: { number } })
        expect((await fetch(`http://localhost:${server.port}/webhooks`, delivery)).status).toBe(202)
      }
      expect(await runScript(folder, 'deliver', { ...server, args: ['a-guess'] })).toMatch(/^401 /)
      expect((await work('undefined')).status).toBe(401)
      expect(server.output()).not.toContain('placed order')
      expect(await (await work(CRON_SECRET)).json()).toMatchObject({ queued: 0, running: 0, failed: 0, dead: 0 })
      for (const number of numbers) expect(server.output()).toContain(`placed order ${number}`)
    } finally {
      server.process.kill('SIGKILL')
      await postgres.close()
    }
  })
})

async function build(folder: string): Promise<void> {
  await buildWithCache(folder, basename(folder), () => runScript(folder, 'build'))
}

/** Builds with Next's own check of types left out: one example has it, and a test in `docs` compiles them all. */
async function buildWithoutTypes(folder: string): Promise<void> {
  const file = join(folder, 'next.config.js')
  const config = existsSync(file) ? readFileSync(file, 'utf8') : 'export default {}'
  writeFileSync(file, config.replace('export default {', 'export default { typescript: { ignoreBuildErrors: true },'))
  await build(folder)
}
