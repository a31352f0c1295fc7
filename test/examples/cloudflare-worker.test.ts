import { expect, it, vi } from 'vitest'
import { installFixture } from '../fixtures/install.ts'
import { describeUnless } from '../unless.ts'
import { EXAMPLE_SECRET, runScript } from './child.ts'
import { startWorker } from './cloudflare.ts'
import { HANDLED, PRINTED, REFUSED } from './server-example.ts'
import { useShop } from './shop.ts'

const noWorkerd = await installFixture('workerd')

describeUnless(noWorkerd)('examples, installed from the packed package', { timeout: 120_000 }, () => {
  const shop = useShop('cloudflare-worker')

  it('cloudflare-worker receives an order and refuses a forged one', async () => {
    const folder = shop.folderOf('cloudflare-worker')
    const worker = await startWorker(folder, { bindings: { CL_SECRET_ORDERS__PLACE: EXAMPLE_SECRET } })
    try {
      expect(await runScript(folder, 'deliver', worker)).toBe(HANDLED)
      expect(await runScript(folder, 'deliver', { ...worker, args: ['a-guess'] })).toMatch(REFUSED)
      await vi.waitFor(() => expect(worker.output()).toContain(PRINTED), { timeout: 10_000 })
    } finally {
      await worker.dispose()
    }
  })
})
