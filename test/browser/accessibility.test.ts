import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { delivery, order } from '../deliveries.ts'
import { describeUnless } from '../unless.ts'
import { endVisit, useChromium, withoutBrowser } from './chromium.ts'
import { openShop, post, type Shop } from './shop.ts'

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

describeUnless(withoutBrowser)('axe finds nothing', () => {
  const visit = useChromium()
  let shop: Shop
  let ids: { readonly failed: string; readonly refused: string; readonly dead: string; readonly wrong: string }

  beforeAll(async () => {
    shop = await openShop()
    const data = order({ attributes: { number: '1', metadata: { fail: true } } })
    await post(shop.hookUrl, delivery('orders.place', { data: order({ id: 'fine' }) }))
    await post(shop.hookUrl, delivery('orders.place', { data }))
    await post(shop.hookUrl, delivery('orders.place', '{}', 'f'.repeat(32)))
    await post(shop.inboxUrl, delivery('orders.approve', { data }))
    await vi.waitUntil(async () => (await shop.inbox.statistics()).dead === 1, { timeout: 10_000 })
    const find = async (outcome: 'failed' | 'refused') => String((await shop.recorder.list({ outcome })).records[0]?.id)
    const [letter] = await shop.listDead()
    shop.prices.text = '{}'
    await shop.emulator.ask('tax')
    const wrong = (await shop.emulator.ask('prices')).id
    ids = { failed: await find('failed'), refused: await find('refused'), dead: String(letter?.id), wrong }
  })
  afterAll(() => shop?.close())

  const pages: readonly (readonly [string, () => string])[] = [
    ['the deliveries', () => '#/deliveries'],
    ['nothing found', () => '#/deliveries?topic=skus.create'],
    ['a failed delivery', () => `#/deliveries/${ids.failed}`],
    ['a refused delivery', () => `#/deliveries/${ids.refused}`],
    ['an unknown delivery', () => '#/deliveries/unknown'],
    ['the inbox', () => '#/inbox'],
    ['a dead letter', () => `#/inbox/${ids.dead}`],
    ['the webhooks', () => '#/webhooks'],
    ['the trigger', () => '#/trigger/orders.place'],
    ['what is asked for', () => '#/trigger/tax'],
    ['the answers', () => '#/answers'],
    ['a wrong answer', () => `#/answers/${ids.wrong}`],
    ['the health', () => '#/health'],
  ]
  it.each(pages.flatMap(([name, toHash]) => [[name, 'light', toHash] as const, [name, 'dark', toHash] as const]))(
    'wrong with %s, %s',
    async (_, colorScheme, toHash) => {
      // The injected script is refused otherwise.
      const visited = await visit(`${shop.url}${toHash()}`, { colorScheme, bypassCSP: true })
      const { page } = visited
      await page.locator('main :is(h1, h2, .panel)').first().waitFor({ state: 'attached' })
      await page.waitForLoadState('networkidle', { timeout: 500 }).catch(() => undefined) // The stream stays open.
      await page.addScriptTag({ path: AXE })
      const run = () => (window as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run()
      const { violations } = await page.evaluate(run)
      expect(violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`))).toEqual([])
      await endVisit(visited)
    },
  )

  it('wrong with an open dialog', async () => {
    const visited = await visit(shop.url, { bypassCSP: true })
    await visited.page.getByRole('button', { name: 'Help: keys' }).click()
    await visited.page.addScriptTag({ path: AXE })
    const run = () => (window as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run()
    expect((await visited.page.evaluate(run)).violations.map(({ id }) => id)).toEqual([])
    await endVisit(visited)
  })
})
