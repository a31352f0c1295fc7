import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createDashboard } from 'hooklayer/dashboard'
import { createEmulator } from 'hooklayer/emulator'
import { expect, it, onTestFinished } from 'vitest'
import { describeUnless } from '../unless.ts'
import { endVisit, withoutBrowser } from './chromium.ts'
import { useDashboard } from './use-dashboard.ts'

describeUnless(withoutBrowser)('the answers in the dashboard', () => {
  const dashboard = useDashboard('#/answers')
  const rows = () => dashboard.page.locator('.rows-body [role=row]')
  const panel = () => dashboard.page.getByRole('region', { name: 'Answer', exact: true })
  const button = (name: string | RegExp) => dashboard.page.getByRole('button', { name })
  const close = () => dashboard.page.keyboard.press('Escape')
  const resetIn = async (place: ReturnType<typeof panel>) => {
    await place.getByRole('button', { name: /^Reset circuit/ }).click()
    await dashboard.page.getByRole('dialog').getByRole('button', { name: 'Reset' }).click()
  }

  it('say what to do while there is none', async () => {
    await dashboard.page.getByRole('heading', { name: 'No answer yet' }).waitFor()
    expect(await dashboard.page.locator('.empty').innerText()).toContain('press a where hooklayer dev runs')
    const emulator = await createEmulator()
    const { listener } = createDashboard({ emulator, authorize: () => true })
    const server = createServer(listener).listen(0, '127.0.0.1')
    onTestFinished(async () => {
      server.close().closeAllConnections()
      await emulator.close()
    })
    await once(server, 'listening')
    const other = await dashboard.visit(`http://127.0.0.1:${(server.address() as AddressInfo).port}/#/answers`)
    await other.page.getByText('npx hooklayer dev --ask tax=/taxes').waitFor()
    await endVisit(other)
  })

  it('come in as they are asked for elsewhere, and are counted while somebody reads', async () => {
    const { page, shop } = dashboard
    await shop.emulator.ask('tax', { resource: { number: '7001' } })
    await rows().filter({ hasText: '#7001' }).waitFor()
    expect(await rows().first().innerText()).toMatch(
      /tax\s+http.*taxes\s+#7001\s+200\s+[\d.]+ ms\s+Accepted\s+\{"tax_rate":0\.22\}/,
    )
    await rows().first().click()
    await shop.emulator.ask('tax', { resource: { number: '7002' } })
    await button('Show newer answers').click()
    await rows().filter({ hasText: '7002' }).waitFor({ state: 'attached' })
    expect(await page.getByRole('button', { name: 'Show newer answers' }).count()).toBe(0)
  })

  it('are asked for with the sample of a kind, and opened', async () => {
    await dashboard.page.getByRole('combobox', { name: 'Kind' }).selectOption('tax')
    await button('Ask for tax').click()
    await panel().getByText('{"success":true,"data":{"tax_rate":0.22}}').waitFor()
    const text = await panel().innerText()
    for (const part of ['Accepted', 'answered 200', 'orders #1234', '31 failures left of 31'])
      expect(text).toContain(part)
    await panel().locator('.tree').getByText('addresses').first().waitFor()
    const count = dashboard.shop.emulator.answers.length
    await button('Ask again').click()
    await expect.poll(() => dashboard.shop.emulator.answers.length).toBe(count + 1)
    await expect.poll(() => dashboard.page.url()).toContain(String(dashboard.shop.emulator.answers.at(-1)?.id))
  })

  it('are asked for with a sample that was edited, and a refusal is told in the words of the shop', async () => {
    const { page } = dashboard
    await page.getByRole('combobox', { name: 'Kind' }).selectOption('tax')
    await page.getByRole('link', { name: 'Edit what is sent' }).click()
    await page.getByRole('textbox', { name: 'number', exact: true }).fill('untaxed')
    await page.getByRole('button', { name: 'Ask for tax' }).click()
    await page.getByText('There is no tax for this order. NO_TAX').waitFor()
    await page.getByRole('link', { name: 'See the answer' }).click()
    await panel().getByRole('heading', { name: 'Why it was refused' }).waitFor()
    expect(await panel().locator('.reason').innerText()).toMatch(
      /There is no tax for this order\. NO_TAX\s+Without an answer/,
    )
  })

  it('name what is wrong by its path, and what Commerce Layer does in their place', async () => {
    dashboard.shop.prices.text = '{"success":true,"data":{"unit_amount_cents":49.5}}'
    await dashboard.page.getByRole('combobox', { name: 'Kind' }).selectOption('prices')
    await button('Ask for prices').click()
    await panel().getByRole('heading', { name: 'What is wrong' }).waitFor()
    const reason = await panel().locator('.reason').innerText()
    expect(reason).toContain('data.unit_amount_cents is not a number of cents.')
    expect(reason).toContain('Without an answer: The client is answered 422 while the circuit is open')
    await close()
    await expect
      .poll(() => rows().first().innerText())
      .toMatch(/Wrong\s+data\.unit_amount_cents is not a number of cents\./)
  })

  it('are not asked for while the circuit is open, until it is reset', async () => {
    const { emulator, prices } = dashboard.shop
    prices.status = 500
    for (let i = 0; i < 31; i++) await emulator.ask('prices')
    await dashboard.page.getByRole('combobox', { name: 'Kind' }).selectOption('prices')
    await button('Ask for prices').click()
    await panel().getByText('Not asked', { exact: true }).waitFor()
    await panel().getByText('Circuit open: nothing is asked.').waitFor()
    await resetIn(panel())
    await expect.poll(() => panel().getByText('Circuit open').count()).toBe(0)
    await button('Ask again').click()
    await panel().getByText('30 failures left of 31').waitFor()
  })

  it('have their circuits beside those of the webhooks', async () => {
    const { page, shop } = dashboard
    await page.goto(`${shop.url}#/webhooks`)
    const card = page.locator('.card').filter({ has: page.getByRole('heading', { name: 'prices' }) })
    await card.getByText('30 failures left of 31').waitFor()
    await card.getByText('Each line item has a circuit of its own.').waitFor()
    await resetIn(card)
    await expect.poll(() => card.getByRole('meter').count()).toBe(0)
    Object.assign(shop.prices, { status: 200, text: '' })
    await card.getByRole('button', { name: 'Ask' }).click()
    await panel().getByText('The answer is not a JSON object.').waitFor()
    await panel().getByText('It was empty.').waitFor()
  })

  it('are used by keyboard alone', async () => {
    const { page } = dashboard
    await rows().first().waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await panel().getByRole('heading', { name: 'Circuit' }).waitFor()
    await close()
    await expect.poll(() => panel().count()).toBe(0)
    await page.keyboard.press('6')
    await page.getByRole('heading', { name: 'Health' }).waitFor()
    await page.keyboard.press('5')
    await rows().first().waitFor()
  })

  it('are shown as text, whatever the shop says', async () => {
    const { page, shop } = dashboard
    const message = '<img src=x onerror=hacked=1>\u202e</bdi><script>hacked=1</script>'
    const error = { code: '<svg onload=hacked=1>', message }
    Object.assign(shop.prices, {
      status: 422,
      text: JSON.stringify({ success: false, error, long: 'x'.repeat(200_000) }),
    })
    await shop.emulator.ask('prices', { resource: { sku_code: message } })
    await rows().filter({ hasText: '<svg onload=hacked=1>' }).click()
    await panel().getByRole('heading', { name: 'Why it was refused' }).waitFor()
    await panel()
      .getByRole('button', { name: /^Show 100 kB more/ })
      .waitFor()
    expect(await panel().innerText()).toContain('<img src=x onerror=hacked=1>\\u202e</bdi><script>hacked=1</script>')
    expect(await page.evaluate(() => document.body.textContent)).not.toContain('\u202e')
    expect(await page.evaluate(() => document.querySelectorAll('script, img, svg, iframe').length)).toBe(1)
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false)
  })
})
