import { createDelivery } from 'hooklayer/testing'
import { describe, expect, it } from 'vitest'
import { EXAMPLE_SECRET, freePort, runScript, startServer } from './child.ts'
import { type Erp, startErp } from './erp.ts'
import { hangUpOn } from './hang-ups.ts'
import { type QstashServer, startQstash } from './qstash-server.ts'
import { type Shop, useShop } from './shop.ts'

const TOKEN = 'a-token'
const CURRENT = 'sig_current'
const NEXT = 'sig_next'
const DONE = [200, null]
const RETRY = [500, null]
const NO_RETRY = [489, 'true']
const UNAUTHORIZED = [401, null]

/** A queue that calls a route. */
describe.concurrent('examples, installed from the packed package', { timeout: 120_000 }, () => {
  const shop = useShop('qstash')

  it('qstash survives hang-ups', async () => {
    await withQstash(shop, async ({ deliver, port }) => {
      await hangUpOn(port)
      expect(await deliver('A1')).toBe('202 {"outcome":"queued"}')
    })
  })

  it('qstash publishes an order once, handles it when it is called, and refuses a forged one', async () => {
    await withQstash(shop, async ({ forge, deliver, qstash, erp }) => {
      expect(await deliver('A1')).toBe('202 {"outcome":"queued"}')
      expect(await deliver('A1')).toBe('200 {"outcome":"duplicate"}')
      expect(await forge()).toMatch(/^401 /)
      expect(qstash.messages).toHaveLength(1)
      expect(erp.orders).toEqual([])
      expect(await qstash.call(qstash.messages[0], CURRENT)).toEqual(DONE)
      expect(erp.orders).toEqual(['A1'])
    })
  })

  it('qstash is accepted with either of its keys, for this route and these bytes only', async () => {
    await withQstash(shop, async ({ deliver, qstash, erp }) => {
      await deliver('A1')
      const [message = { url: '', body: '' }] = qstash.messages
      expect(await qstash.call(message, 'sig_guessed')).toEqual(UNAUTHORIZED)
      expect(await qstash.call(message, CURRENT, { ...message, body: '{}' })).toEqual(UNAUTHORIZED)
      expect(await qstash.call(message, CURRENT, { ...message, url: 'https://shop.example/' })).toEqual(UNAUTHORIZED)
      expect((await fetch(message.url, { method: 'POST', body: message.body })).status).toBe(401)
      expect(erp.orders).toEqual([])
      expect(await qstash.call(message, NEXT)).toEqual(DONE)
    })
  })

  it('qstash retries a failed delivery, and not one that can never succeed', async () => {
    await withQstash(shop, async ({ deliver, qstash, erp }) => {
      erp.answer('unlucky', 500)
      erp.answer('unwanted', 422)
      await deliver('unlucky')
      await deliver('unwanted')
      const [unlucky, unwanted] = qstash.messages
      expect(await qstash.call(unlucky, CURRENT)).toEqual(RETRY)
      expect(await qstash.call(unwanted, CURRENT)).toEqual(NO_RETRY)
      erp.answer('unlucky', 200)
      expect(await qstash.call(unlucky, CURRENT)).toEqual(DONE)
      expect(erp.orders).toEqual(['unlucky'])
    })
  })
})

interface Scenario {
  readonly qstash: QstashServer
  readonly erp: Erp
  readonly port: number
  /** Sends an order of that number: the answer. */
  deliver(number: string): Promise<string>
  /** Sends one that was signed with a guess. */
  forge(): Promise<string>
}

async function withQstash(shop: Shop, run: (scenario: Scenario) => Promise<void>): Promise<void> {
  const folder = shop.folderOf('qstash')
  const [qstash, erp, port] = await Promise.all([startQstash(TOKEN), startErp(), freePort()])
  const env = {
    QSTASH_URL: qstash.url,
    QSTASH_TOKEN: TOKEN,
    QSTASH_CURRENT_SIGNING_KEY: CURRENT,
    QSTASH_NEXT_SIGNING_KEY: NEXT,
    PUBLIC_URL: `http://localhost:${port}`,
    ERP_URL: erp.url,
  }
  const server = await startServer(folder, { port, env })
  try {
    await run({
      qstash,
      erp,
      port,
      async deliver(number) {
        const delivery = await createDelivery('orders.place', { secret: EXAMPLE_SECRET, resource: { number } })
        const answer = await fetch(`http://localhost:${port}/webhooks`, delivery)
        return `${answer.status} ${await answer.text()}`
      },
      forge: () => runScript(folder, 'deliver', { port, args: ['a-guess'] }),
    })
    server.process.kill('SIGTERM')
    expect(await server.ended).toBe(0)
  } finally {
    server.process.kill('SIGKILL')
    await Promise.all([qstash.close(), erp.close()])
  }
}
