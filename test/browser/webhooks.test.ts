import { expect, it } from 'vitest'
import { OTHER_SECRET } from '../deliveries.ts'
import { describeUnless } from '../unless.ts'
import { withoutBrowser } from './chromium.ts'
import { useDashboard } from './use-dashboard.ts'

describeUnless(withoutBrowser)('the webhooks in the dashboard', () => {
  const dashboard = useDashboard()

  const card = () => dashboard.page.locator('.card').filter({ hasText: 'orders.place' })
  const fail = async (times: number) => {
    for (let i = 0; i < times; i++) await dashboard.shop.emulator.trigger('orders.place', { metadata: { fail: true } })
  }
  const reset = async () => {
    await card().getByRole('button', { name: 'Reset circuit' }).click()
    await dashboard.page.getByRole('dialog').getByRole('button', { name: 'Reset' }).click()
    await card().getByText('30 failures left of 30').waitFor()
  }

  /** What was read is shown for five seconds. */
  const refreshUntil = async (text: string) => {
    await expect
      .poll(
        async () => {
          const answered = dashboard.page.waitForResponse((response) => response.url().endsWith('/api/webhooks'))
          await dashboard.page.getByRole('button', { name: 'Refresh' }).click()
          await answered
          return card().innerText()
        },
        { interval: 1000, timeout: 60_000 },
      )
      .toContain(text)
  }

  it('show how near each circuit is, and reset it after a question', async () => {
    await fail(5)
    await dashboard.page.keyboard.press('3')
    await card().getByText('25 failures left of 30').waitFor()
    expect(await card().getByRole('meter').getAttribute('aria-valuenow')).toBe('25')
    await card().getByRole('button', { name: 'Last calls' }).click()
    await card().getByText('500').first().waitFor()
    expect(await card().locator('tbody tr').count()).toBe(5)
    await reset()
  })

  it('show an open circuit, to which nothing is sent until it is reset', { timeout: 150_000 }, async () => {
    await fail(30)
    await dashboard.page.keyboard.press('3')
    await refreshUntil('Circuit open: nothing is sent.')
    expect(await card().getByRole('meter').getAttribute('aria-valuenow')).toBe('0')
    const countOrders = async () =>
      (await dashboard.shop.recorder.list({ topic: 'orders.place', limit: 500 })).records.length
    const before = await countOrders()
    await dashboard.page.goto(`${dashboard.shop.url}#/trigger/orders.place`)
    await dashboard.page.getByRole('button', { name: 'Send orders.place' }).click()
    await dashboard.page.getByText('The circuit of the webhook is open. Reset it first.').waitFor()
    expect(await countOrders()).toBe(before)

    await dashboard.page.keyboard.press('3')
    await card().getByRole('button', { name: 'Reset circuit' }).click()
    await dashboard.page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await card().getByText('Circuit open: nothing is sent.').waitFor()
    await reset()
    expect(await dashboard.shop.emulator.trigger('orders.place')).toMatchObject([{ response_code: '200' }])
    expect(await countOrders()).toBe(before + 1)
  })

  it('that are not there any more are said at their reset, and the others are shown', {
    timeout: 150_000,
  }, async () => {
    await fail(1)
    await dashboard.page.keyboard.press('3')
    await refreshUntil('29 failures left of 30')
    const { id, callback_url: url } =
      dashboard.shop.emulator.webhooks.find(({ topic }) => topic === 'orders.place') ?? {}
    await dashboard.shop.management.webhooks.delete(String(id))
    await card().getByRole('button', { name: 'Reset circuit' }).click()
    await dashboard.page.getByRole('dialog').getByRole('button', { name: 'Reset' }).click()
    await card().getByRole('alert').getByText('Commerce Layer does not have it any more.').waitFor()
    await dashboard.shop.emulator.subscribe('orders.place', String(url))
  })

  it('are compared with the handlers: what is lacking is a step, until it is there', { timeout: 130_000 }, async () => {
    const plan = dashboard.page.locator('section').filter({ hasText: 'Plan against the handlers' })
    /** What was read is shown for five seconds. */
    const reloadUntil = async (text: string) => {
      const isShown = async () => {
        await dashboard.page.reload()
        await plan.getByText(text).waitFor({ timeout: 6_000 })
      }
      await expect.poll(() => isShown().then(() => true), { interval: 1000, timeout: 40_000 }).toBe(true)
    }
    await dashboard.page.keyboard.press('3')
    await reloadUntil('are what the handlers need.')
    dashboard.shop.receiver.on('shipments.ship', { include: ['parcels'] }, () => {})
    await reloadUntil('npx hooklayer webhooks apply')
    const step = plan.getByRole('listitem')
    expect(await step.allInnerTexts()).toEqual([expect.stringMatching(/create shipments\.ship: .*parcels/)])
    expect(dashboard.shop.emulator.webhooks.map(({ topic }) => topic)).not.toContain('shipments.ship')
    const options = { secret: OTHER_SECRET, includeResources: ['parcels'] }
    await dashboard.shop.emulator.subscribe('shipments.ship', dashboard.shop.hookUrl, options)
    await reloadUntil('are what the handlers need.')
  })
})
