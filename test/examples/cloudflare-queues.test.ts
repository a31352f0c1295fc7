import { createDelivery } from 'hooklayer/testing'
import { expect, it, vi } from 'vitest'
import { installFixture } from '../fixtures/install.ts'
import { describeUnless } from '../unless.ts'
import { EXAMPLE_SECRET, runScript } from './child.ts'
import { startWorker, type Worker } from './cloudflare.ts'
import { type Erp, startErp } from './erp.ts'
import { type Shop, useShop } from './shop.ts'

const noWorkerd = await installFixture('workerd')

/** The first pause before a retry takes ten seconds. */
const SOON = { timeout: 60_000, interval: 100 }

/** A Worker on both sides of a queue, with the bodies in R2. */
describeUnless(noWorkerd)('examples, installed from the packed package', { timeout: 120_000, concurrent: true }, () => {
  const shop = useShop('cloudflare-queues')

  it('cloudflare-queues handles orders of any size after the answer, and refuses a forged one', async () => {
    await withWorker(shop, async ({ worker, erp, deliver, bodies }) => {
      const folder = shop.folderOf('cloudflare-queues')
      expect(await runScript(folder, 'deliver', worker)).toBe('202 {"outcome":"queued"}')
      expect(await runScript(folder, 'deliver', { ...worker, args: ['a-guess'] })).toMatch(/^401 /)
      expect(await deliver('big', 200_000)).toBe(202)
      await vi.waitFor(() => expect(erp.orders).toContain('big'), SOON)
      await vi.waitFor(async () => expect(await bodies()).toBe(0), SOON)
      expect(erp.orders).toHaveLength(2)
    })
  })

  it('cloudflare-queues retries a failed delivery, and gives up one that can never succeed', async () => {
    await withWorker(shop, async ({ worker, erp, deliver, bodies }) => {
      erp.answer('unlucky', 500)
      erp.answer('unwanted', 422)
      expect(await deliver('unlucky')).toBe(202)
      expect(await deliver('unwanted')).toBe(202)
      await vi.waitFor(() => expect(worker.output()).toContain('A dead letter of orders.place'), SOON)
      await vi.waitFor(() => expect(worker.output()).toContain('HANDLER_FAILED'), SOON)
      erp.answer('unlucky', 200)
      await vi.waitFor(() => expect(erp.orders).toEqual(['unlucky']), SOON)
      await vi.waitFor(async () => expect(await bodies()).toBe(1), SOON)
    })
  })
})

interface Scenario {
  readonly worker: Worker
  readonly erp: Erp
  deliver(number: string, padding?: number): Promise<number>
  /** How many are in R2. */
  bodies(): Promise<number>
}

/** A Worker that logs the dead letters. */
const DEAD_LETTER_WORKER =
  "export default { queue({ messages }) { for (const { body } of messages) console.log('A dead letter of ' + body.topic) } }"

async function withWorker(shop: Shop, run: (scenario: Scenario) => Promise<void>): Promise<void> {
  const erp = await startErp()
  const worker = await startWorker(
    shop.folderOf('cloudflare-queues'),
    {
      name: 'shop',
      bindings: { CL_SECRET_ORDERS__PLACE: EXAMPLE_SECRET, ERP_URL: erp.url },
      r2Buckets: ['BODIES'],
      queueProducers: { DELIVERIES: 'deliveries', DEAD_LETTERS: 'dead-letters' },
      queueConsumers: { deliveries: { maxRetries: 12, deadLetterQueue: 'dead-letters' } },
    },
    [{ name: 'dead-letters', modules: true, script: DEAD_LETTER_WORKER, queueConsumers: ['dead-letters'] }],
  )
  try {
    await run({
      worker,
      erp,
      async deliver(number, padding = 0) {
        const resource = { number, metadata: { padding: 'x'.repeat(padding) } }
        const delivery = await createDelivery('orders.place', { secret: EXAMPLE_SECRET, resource })
        const { status } = await fetch(`http://localhost:${worker.port}/webhooks`, delivery)
        return status
      },
      bodies: async () => (await (await worker.getR2Bucket('BODIES')).list()).objects.length,
    })
  } finally {
    await Promise.all([worker.dispose(), erp.close()])
  }
}
