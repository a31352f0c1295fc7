import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { delivery, order } from '../deliveries.ts'
import { describeUnless } from '../unless.ts'
import { endVisit, useChromium, type Visit, withoutBrowser } from './chromium.ts'
import { openShop, post, type Shop } from './shop.ts'

describeUnless(withoutBrowser)('the pages of the dashboard', () => {
  const visit = useChromium()
  const visits: Visit[] = []
  let shop: Shop

  beforeAll(async () => {
    shop = await openShop()
  })
  afterAll(() => shop?.close())
  afterEach(async () => {
    for (const one of visits.splice(0)) await endVisit(one)
  })

  async function open(hash = '', options: Parameters<typeof visit>[1] = {}): Promise<Page> {
    const one = await visit(`${shop.url}${hash}`, options)
    visits.push(one)
    return one.page
  }
  const sendOrder = (number: string, metadata: object = {}) =>
    post(
      shop.hookUrl,
      delivery('orders.place', { data: order({ id: `order-${number}`, attributes: { number, metadata } }) }),
    )
  const focused = (page: Page) =>
    page.evaluate(() => (document.activeElement === document.body ? '' : document.activeElement?.textContent))

  it('trigger a sample that was edited as a form and as JSON', async () => {
    const page = await open('#/trigger/orders.place')
    const json = page.getByRole('textbox', { name: 'JSON' })
    await page.getByRole('textbox', { name: 'number', exact: true }).fill('8123')
    expect(JSON.parse(await json.inputValue())).toMatchObject({ number: '8123' })
    const edited = { ...JSON.parse(await json.inputValue()), customer_email: 'form@example.com' }
    await json.fill(JSON.stringify(edited))
    expect(await page.getByRole('textbox', { name: 'customer_email' }).inputValue()).toBe('form@example.com')
    await page.getByRole('button', { name: 'Send orders.place' }).click()
    await page.getByText('1 call sent, 1 accepted.').waitFor()
    const [record] = (await shop.recorder.list({ search: '8123' })).records
    expect(record?.outcome).toBe('handled')
    await expect.poll(async () => (await shop.recorder.list({ search: 'form@example.com' })).records.length).toBe(1)
  })

  it('say what is wrong with the JSON of a sample, and do not send it', async () => {
    const page = await open('#/trigger/orders.place')
    await page.getByRole('textbox', { name: 'JSON' }).fill('{"number": ')
    await page.getByText('This is not JSON yet').waitFor()
    expect(await page.getByRole('button', { name: 'Send orders.place' }).isDisabled()).toBe(true)
  })

  it('trigger with a fault, several times', async () => {
    const page = await open('#/trigger/customers.create')
    await page.getByRole('combobox', { name: 'Fault' }).selectOption('wrong-signature')
    await page.getByRole('spinbutton', { name: 'Times' }).fill('2')
    await page.getByRole('button', { name: 'Send customers.create' }).click()
    await page.getByText(/calls? sent/).waitFor()
    const { records } = await shop.recorder.list({ topic: 'customers.create' })
    expect(records.filter(({ outcome }) => outcome === 'refused')).toHaveLength(2)
    expect(records.filter(({ outcome }) => outcome === 'handled')).toHaveLength(2)
  })

  it('draw the health, with the same as a table and links to the causes', async () => {
    await sendOrder('8200')
    await sendOrder('8201', { fail: true })
    const page = await open('#/health')
    await page.getByRole('img', { name: /deliveries, at most/ }).waitFor()
    await page.getByText('As a table').first().click()
    expect(await page.getByRole('table', { name: /Deliveries/ }).innerText()).toContain('Handled')
    await page.getByRole('link', { name: 'HANDLER_FAILED' }).click()
    await page.locator('.rows-body [role=row]').first().getByText('HANDLER_FAILED').waitFor()
    expect(page.url()).toContain('code=HANDLER_FAILED')
  })

  it('are used by keyboard alone', async () => {
    await sendOrder('8301')
    await sendOrder('8302')
    const page = await open()
    await page.locator('.rows-body [role=row]').first().waitFor()
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main')
    await page.keyboard.press('j')
    expect(await focused(page)).toContain('#8302')
    await page.keyboard.press('j')
    expect(await focused(page)).toContain('#8301')
    await page.keyboard.press('ArrowUp')
    expect(await focused(page)).toContain('#8302')
    await page.keyboard.press('Enter')
    await page.getByRole('region', { name: 'Delivery', exact: true }).getByText('#8302').waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => page.getByRole('region', { name: 'Delivery', exact: true }).count()).toBe(0)
    expect(await focused(page)).toContain('#8302')
    await page.keyboard.press('/')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('search')
    await page.keyboard.type('8301')
    await expect.poll(() => page.locator('.rows-body [role=row]').count()).toBe(1)
    await page.keyboard.press('Escape')
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('2')
    await page.getByRole('heading', { name: 'Inbox' }).waitFor({ state: 'attached' })
    await page.keyboard.press('6')
    await page.getByRole('heading', { name: 'Health' }).waitFor()
  })

  it('keep the colors that were chosen', async () => {
    const page = await open('', { colorScheme: 'light' })
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const light = await ground()
    await page.getByRole('combobox', { name: 'Colors' }).selectOption('dark')
    const dark = await ground()
    expect(dark).not.toBe(light)
    await page.reload()
    await page.getByRole('combobox', { name: 'Colors' }).waitFor()
    expect(await ground()).toBe(dark)
  })

  it('show times in the zone of the reader, with UTC beside', async () => {
    await sendOrder('8401')
    const page = await open('', { timezoneId: 'Asia/Tokyo' })
    const time = page.locator('.rows-body time').first()
    const at = new Date(String(await time.getAttribute('datetime')))
    const inTokyo = at.toLocaleTimeString('en-GB', { timeZone: 'Asia/Tokyo' })
    expect(await time.innerText()).toContain(inTokyo)
    expect(await time.getAttribute('title')).toBe(at.toISOString().replace('T', ' ').replace('Z', ' UTC'))
  })

  it.each(['#/deliveries', '#/inbox', '#/webhooks', '#/trigger/orders.place', '#/answers', '#/health'])(
    'fit on a screen of 360 pixels: %s',
    async (hash) => {
      await sendOrder('8501')
      await shop.emulator.ask('tax', { resource: { number: 'untaxed' } })
      const page = await open(hash, { width: 360, height: 640 })
      await page.getByText('Live', { exact: true }).waitFor()
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360)
      expect(await page.evaluate(() => document.querySelector('main')?.scrollWidth)).toBeLessThanOrEqual(360)
    },
  )

  it('say that the server is gone, come back with it, and miss nothing', async () => {
    const page = await open()
    await page.locator('.rows-body [role=row]').first().waitFor()
    await shop.stopServer()
    await page.getByText('Reconnecting').waitFor()
    await sendOrder('8601') // Recorded while the page is cut off.
    await shop.startServer()
    await page.getByText('Live', { exact: true }).waitFor({ timeout: 20_000 })
    await page.locator('.rows-body [role=row]').filter({ hasText: '#8601' }).waitFor()
    await shop.stopServer()
    await page.keyboard.press('6')
    await page.getByRole('alert').getByText('The dashboard does not answer.').waitFor()
    await shop.startServer()
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('img', { name: /deliveries, at most/ }).waitFor()
  })
})

describeUnless(withoutBrowser)('the dashboard in production', () => {
  const visit = useChromium()
  let shop: Shop

  beforeAll(async () => {
    shop = await openShop({ isDevelopment: false, redact: true })
  })
  afterAll(() => shop?.close())

  it('has no page to trigger deliveries or to ask, and says where there is one', async () => {
    const visited = await visit(shop.url)
    const { page } = visited
    await page.getByRole('link', { name: 'Health' }).waitFor()
    expect(await page.getByRole('navigation').innerText()).not.toMatch(/Trigger|Answers/)
    await page.goto(`${shop.url}#/trigger`)
    await page.getByText('npx hooklayer dev').waitFor()
    await page.goto(`${shop.url}#/answers`)
    await page.getByText('npx hooklayer dev --ask tax=/taxes').waitFor()
    await endVisit(visited)
  })

  it('shows what holds external resources, and resets its circuit', async () => {
    const { url } = shop.emulator.holders[0] ?? {}
    const { url: down } = shop.emulator.addHolder('promotion', 'http://127.0.0.1:9/')
    await shop.emulator.ask('promotion')
    const visited = await visit(`${shop.url}#/webhooks`)
    const cards = visited.page.locator('.card')
    await cards
      .filter({ hasText: String(url) })
      .getByText('31 failures left of 31')
      .waitFor()
    expect(await visited.page.getByRole('button', { name: 'Ask' }).count()).toBe(0)
    await cards.filter({ hasText: down }).getByRole('button', { name: 'Reset circuit' }).click()
    await visited.page.getByRole('dialog').getByRole('button', { name: 'Reset' }).click()
    await cards.filter({ hasText: down }).getByText('31 failures left of 31').waitFor()
    await endVisit(visited)
  })

  it('says which line is missing while nothing is recorded', async () => {
    const visited = await visit(shop.url)
    await visited.page.getByText('createReceiver({ secrets, recorder })').waitFor()
    await endVisit(visited)
  })
})
