import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { delivery, order } from '../deliveries.ts'
import { describeUnless } from '../unless.ts'
import { endVisit, useChromium, withoutBrowser } from './chromium.ts'
import { openShop, post, type Shop } from './shop.ts'

const RIGHT_TO_LEFT = '\u202e'
const LONG = 'lorem '.repeat(180_000)

/** Everything that a page could take for its own: markup, links, marks that turn text, a megabyte, and many resources. */
const HOSTILE = {
  data: order({
    id: 'hostile',
    attributes: {
      number: '<img src=x onerror=hacked=1>',
      reference: '<script>window.hacked = 1</script>',
      privacy_url: 'javascript:window.hacked=1',
      status: `paid${RIGHT_TO_LEFT}dnuofer`,
      notes: LONG,
      metadata: { '"><svg onload=hacked=1>': '&lt;b&gt;', __proto__x: 1 },
    },
    relationships: { customer: { data: { type: 'customers', id: '</bdi><script>hacked=1</script>' } } },
  }),
  included: [
    { type: 'customers', id: '</bdi><script>hacked=1</script>', attributes: { email: 'x' } },
    ...Array.from({ length: 1999 }, (_, i) => ({ type: 'line_items', id: `l${i}`, attributes: { name: `item ${i}` } })),
  ],
}

describeUnless(withoutBrowser)('hostile input in the dashboard', () => {
  const visit = useChromium()
  let shop: Shop

  beforeAll(async () => {
    shop = await openShop()
  })
  afterAll(() => shop?.close())

  const hacked = (page: Page) => page.evaluate(() => 'hacked' in window)

  it('is shown as text, and nothing of it runs, turns text or leads anywhere', async () => {
    await post(shop.hookUrl, delivery('orders.place', HOSTILE))
    const visited = await visit(shop.url)
    const { page } = visited
    await page.locator('.rows-body [role=row]').first().click()
    const tree = page.locator('.tree')
    await tree.getByText('<script>window.hacked = 1</script>').waitFor()
    const text = await tree.innerText()
    expect(text).toContain('javascript:window.hacked=1')
    expect(text).toContain('paid\\u202ednuofer')
    expect(await page.evaluate(() => document.body.textContent)).not.toContain(RIGHT_TO_LEFT)
    expect(await page.evaluate(() => document.querySelectorAll('script, img, svg, iframe').length)).toBe(1)
    const links = await page.evaluate(() => Array.from(document.links, ({ href }) => href))
    expect(links.filter((href) => !href.startsWith(shop.url))).toEqual([])
    expect(await hacked(page)).toBe(false)
    await endVisit(visited)
  })

  it('is cut if it is long, and shown on demand', async () => {
    const visited = await visit(shop.url)
    const { page } = visited
    await page.locator('.rows-body [role=row]').first().click()
    const tree = page.locator('.tree')
    await tree.getByRole('button', { name: /Show 100 kB more/ }).waitFor()
    expect((await tree.innerText()).length).toBeLessThan(20_000)
    await tree.getByRole('button', { name: /Show 100 kB more/ }).click()
    expect((await tree.innerText()).length).toBeGreaterThan(90_000)
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Download' }).click()
    expect((await download).suggestedFilename()).toMatch(/^delivery-\w+\.json$/)
    await endVisit(visited)
  })

  it('does not freeze the page with 2,000 included resources', async () => {
    const visited = await visit(shop.url)
    const { page } = visited
    const tree = page.locator('.tree')
    await page.locator('.rows-body [role=row]').first().click()
    await tree.getByRole('button', { name: /^included/ }).waitFor()
    const from = await page.evaluate(() => performance.now())
    await tree.getByRole('button', { name: /^included/ }).click()
    await tree.getByRole('button', { name: /1,901 to 2,000/ }).click()
    await tree.getByText('line_items l1998').waitFor()
    expect((await page.evaluate(() => performance.now())) - from).toBeLessThan(2000)
    await endVisit(visited)
  })

  it('is shown as it was sent where it is not JSON', async () => {
    await post(shop.hookUrl, delivery('orders.place', `<b>no JSON</b>${RIGHT_TO_LEFT}`))
    const visited = await visit(shop.url)
    const { page } = visited
    await page.locator('.rows-body [role=row]').filter({ hasText: 'DOCUMENT_INVALID' }).click()
    await page.getByText('<b>no JSON</b>\\u202e').waitFor()
    await endVisit(visited)
  })
})

const ORDERS = 1000

const PLANTED = [
  'zoe.planted@example.com',
  'Zoe Plantedname',
  '+393331234567',
  'Via Segreta 12',
  'tok_planted0123456789abcdef',
]

describeUnless(withoutBrowser)('personal data of a thousand orders in the dashboard', () => {
  const visit = useChromium()
  let shop: Shop

  beforeAll(async () => {
    shop = await openShop({ redact: true })
    for (let i = 0; i < ORDERS; i += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, at) => sendPlanted(i + at)))
    }
    await vi.waitUntil(async () => (await shop.inbox.statistics()).dead === ORDERS, { timeout: 30_000 })
  })
  afterAll(() => shop?.close())

  async function sendPlanted(i: number): Promise<void> {
    const [email, name, phone, address, token] = PLANTED
    const data = order({
      id: `planted${i}`,
      attributes: { number: `9${i}`, customer_email: email, token, metadata: { fail: i % 2 === 0, name } },
      relationships: { customer: { data: { type: 'customers', id: 'zoe' } } },
    })
    const customer = { id: 'zoe', type: 'customers', attributes: { email, name, phone, line_1: address } }
    await post(shop.hookUrl, delivery('orders.place', { data, included: [customer] }))
    await post(shop.inboxUrl, delivery('orders.approve', { data, included: [customer] }))
  }

  it('is masked on each page, also in the cause of a failure and in what a search finds', async () => {
    const visited = await visit(shop.url)
    const { page } = visited
    const rows = page.locator('.rows-body [role=row]')
    const texts: string[] = []
    const read = async (hash: string, isThere: Locator) => {
      await page.goto(`${shop.url}${hash}`)
      await isThere.first().waitFor()
      texts.push(await page.content())
    }
    const readAll = async (hash: string, count: number) => {
      await read(hash, rows.filter({ hasText: '#9' }))
      const seen = new Set(await page.evaluate(readRows, count))
      texts.push(...seen)
      expect(seen.size).toBeGreaterThanOrEqual(count)
    }
    await readAll('#/deliveries?topic=orders.place', ORDERS)
    await readAll('#/inbox', ORDERS)
    await readAll(`#/deliveries?topic=orders.place&search=${PLANTED[0]}`, ORDERS)
    const tree = page.locator('.tree')
    for (const { id, resource } of (await shop.recorder.list({ topic: 'orders.place', limit: 6 })).records) {
      await read(`#/deliveries/${id}`, tree.getByText(`orders ${resource?.id}`))
      await tree.getByRole('button', { name: 'customers zoe', exact: true }).click()
      await tree.getByText('email').last().waitFor()
      texts.push(await page.content())
    }
    for (const { id } of (await shop.listDead()).slice(0, 3)) {
      await read(`#/inbox/${id}`, page.getByRole('heading', { name: 'Why it failed' }))
      await page.locator('.tree').getByText('customer_email').waitFor()
      texts.push(await page.content())
    }
    await read('#/health', page.getByRole('img', { name: /deliveries, at most/ }))
    await read('#/webhooks', page.locator('.card'))
    const all = texts.join('\n')
    // The address that was searched for is that of the reader: in the field, and in the address of the page.
    for (const planted of PLANTED.slice(1)) expect(all).not.toContain(planted)
    expect(all.replaceAll(/search=zoe\.planted(%40|@)example\.com/g, '')).not.toContain(PLANTED[0])
    expect(all).toContain('#9999')
    await endVisit(visited)
  })
})

/** Scrolls down until so many rows were seen, and returns their texts. */
async function readRows(wanted: number): Promise<string[]> {
  const body = document.querySelector('.rows-body')
  const seen = new Map<string, string>()
  for (let i = 0; i < 500 && body && seen.size < wanted; i++) {
    for (const row of body.querySelectorAll('[role=row]')) {
      seen.set(String(row.getAttribute('aria-rowindex')), row.outerHTML)
    }
    body.scrollTop += 500
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
  }
  return [...seen.values()]
}
