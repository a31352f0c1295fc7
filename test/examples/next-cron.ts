import { createDelivery } from 'hooklayer/testing'
import { expect, it } from 'vitest'
import { noPostgres, startPostgres } from '../servers/postgres.ts'
import { runScript, startServer } from './child.ts'
import type { Shop } from './shop.ts'

const CRON_SECRET = 'a-long-one'

/** A receiver that is never asked to run for long, and a cron job that works. */
export function testNextCron(shop: () => Shop): void {
  const ifPostgres = noPostgres ? it.skip : it

  ifPostgres(
    `next-cron handles what is stored when it is called${noPostgres ? ` (not here: ${noPostgres})` : ''}`,
    async () => {
      const folder = shop().folderOf('next-cron')
      await runScript(folder, 'build')
      const postgres = await startPostgres()
      const server = await startServer(folder, { env: { DATABASE_URL: postgres.url, CRON_SECRET } })
      const work = (secret: string) =>
        fetch(`http://localhost:${server.port}/cron`, { headers: { authorization: `Bearer ${secret}` } })
      try {
        const numbers = ['A', 'B', 'C'].map((name) => `${name}-${Date.now()}`)
        for (const number of numbers) {
          const delivery = await createDelivery('orders.place', { resource: { number } })
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
    },
  )
}
