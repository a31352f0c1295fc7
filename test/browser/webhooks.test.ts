import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { OTHER_SECRET } from '../deliveries.ts'
import { describeUnless } from '../unless.ts'
import { endVisit, useChromium, type Visit, withoutBrowser } from './chromium.ts'
import { openShop, type Shop } from './shop.ts'

describeUnless(withoutBrowser)('the webhooks in the dashboard', () => {
  const visit = useChromium()
  let shop: Shop
  let visited: Visit
  let page: Page

  beforeAll(async () => {
    shop = await openShop()
  })
  afterAll(() => shop?.close())
  beforeEach(async () => {
    visited = await visit(shop.url)
    page = visited.page
    await page.getByText('Live', { exact: true }).waitFor()
  })
  afterEach(() => endVisit(visited))

  const card = () => page.locator('.card').filter({ hasText: 'orders.place' })
  const fail = async (times: number) => {
    for (let i = 0; i < times; i++) await shop.emulator.trigger('orders.place', { metadata: { fail: true } })
  }
  const reset = async () => {
    await card().getByRole('button', { name: 'Reset circuit' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Reset' }).click()
    await card().getByText('30 failures left of 30').waitFor()
  }

  /** Each answer takes some ten calls of the API, and the client keeps within 100 a minute. */
  const refreshUntil = async (text: string) => {
    await expect
      .poll(
        async () => {
          const answered = page.waitForResponse((response) => response.url().endsWith('/api/webhooks'))
          await page.getByRole('button', { name: 'Refresh' }).click()
          await answered
          return card().innerText()
        },
        { interval: 10_000, timeout: 120_000 },
      )
      .toContain(text)
  }

  it('show how near each circuit is, and reset it after a question', async () => {
    await fail(5)
    await page.keyboard.press('3')
    await card().getByText('25 failures left of 30').waitFor()
    expect(await card().getByRole('meter').getAttribute('aria-valuenow')).toBe('25')
    await card().getByRole('button', { name: 'Last calls' }).click()
    await card().getByText('500').first().waitFor()
    expect(await card().locator('tbody tr').count()).toBe(5)
    await reset()
  })

  it('show an open circuit, to which nothing is sent until it is reset', { timeout: 150_000 }, async () => {
    await fail(30)
    await page.keyboard.press('3')
    await refreshUntil('Circuit open: nothing is sent.')
    expect(await card().getByRole('meter').getAttribute('aria-valuenow')).toBe('0')
    const countOrders = async () => (await shop.recorder.list({ topic: 'orders.place', limit: 500 })).records.length
    const before = await countOrders()
    await page.goto(`${shop.url}#/trigger/orders.place`)
    await page.getByRole('button', { name: 'Send orders.place' }).click()
    await page.getByText('The circuit of the webhook is open. Reset it first.').waitFor()
    expect(await countOrders()).toBe(before)

    await page.keyboard.press('3')
    await card().getByRole('button', { name: 'Reset circuit' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await card().getByText('Circuit open: nothing is sent.').waitFor()
    await reset()
    expect(await shop.emulator.trigger('orders.place')).toMatchObject([{ response_code: '200' }])
    expect(await countOrders()).toBe(before + 1)
  })

  it('that are not there any more are said at their reset, and the others are shown', {
    timeout: 150_000,
  }, async () => {
    await fail(1)
    await page.keyboard.press('3')
    await refreshUntil('29 failures left of 30')
    const { id, callback_url: url } = shop.emulator.webhooks.find(({ topic }) => topic === 'orders.place') ?? {}
    await shop.management.webhooks.delete(String(id))
    await card().getByRole('button', { name: 'Reset circuit' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Reset' }).click()
    await card().getByRole('alert').getByText('Commerce Layer does not have it any more.').waitFor()
    await shop.emulator.subscribe('orders.place', String(url))
  })

  it('are compared with the handlers: what is lacking is a step, until it is there', { timeout: 150_000 }, async () => {
    const plan = page.locator('section').filter({ hasText: 'Plan against the handlers' })
    /** The client keeps within the rate limit, which the tests before have used. A call that waits too long fails. */
    const reloadUntil = async (text: string) => {
      const isShown = () => plan.getByText(text).waitFor({ timeout: 16_000 })
      await page.reload()
      await isShown().catch(() => page.reload().then(isShown))
    }
    await page.keyboard.press('3')
    await reloadUntil('are what the handlers need.')
    shop.receiver.on('shipments.ship', { include: ['parcels'] }, () => {})
    await reloadUntil('npx hooklayer webhooks apply')
    const step = plan.getByRole('listitem')
    expect(await step.allInnerTexts()).toEqual([expect.stringMatching(/create shipments\.ship: .*parcels/)])
    expect(shop.emulator.webhooks.map(({ topic }) => topic)).not.toContain('shipments.ship')
    const options = { secret: OTHER_SECRET, includeResources: ['parcels'] }
    await shop.emulator.subscribe('shipments.ship', shop.hookUrl, options)
    await reloadUntil('are what the handlers need.')
  })
})
