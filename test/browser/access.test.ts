import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createEmulator } from 'hooklayer/emulator'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { type DevDashboard, startDevDashboard } from '../../src/cli/dev/dev-dashboard.ts'
import { delivery, order, SECRET } from '../deliveries.ts'
import { describeUnless } from '../unless.ts'
import { endVisit, useChromium, withoutBrowser } from './chromium.ts'
import { openShop, post, type Shop } from './shop.ts'

describeUnless(withoutBrowser)('somebody who may not see the dashboard', () => {
  const visit = useChromium()
  let dev: DevDashboard
  let origin: string
  let emulator: Awaited<ReturnType<typeof createEmulator>>

  beforeAll(async () => {
    emulator = await createEmulator({ retries: 0 })
    await emulator.subscribe('orders.place', 'http://127.0.0.1:9/', { secret: SECRET })
    dev = await startDevDashboard({ emulator, inbox: undefined })
    origin = new URL(dev.url).origin
  })
  afterAll(async () => {
    await dev?.close()
    await emulator?.close()
  })

  it.each([
    ['without a token', () => `${origin}/`],
    ['with a wrong one', () => `${origin}/?token=${'x'.repeat(32)}`],
    ['at an address of a call', () => `${origin}/api/deliveries`],
  ])('%s reads what to do, and nothing else', async (_, toUrl) => {
    const visited = await visit(toUrl())
    const text = await visited.page.locator('body').innerText()
    expect(text.trim()).toMatch(/^Open the address with the token that `hooklayer dev` has printed\./)
    await endVisit(visited)
  })

  it('by another name for this machine reads where it is', async () => {
    const url = dev.url.replace('127.0.0.1', 'rebound.localhost')
    const visited = await visit(url)
    expect(await visited.page.locator('body').innerText()).toContain(`Open it at ${origin}`)
    await endVisit(visited)
  })

  it('sees the page with the token, which leaves the address, and is refused when the server was started anew', async () => {
    const visited = await visit(dev.url)
    const { page } = visited
    await page.getByText('Live', { exact: true }).waitFor()
    expect(page.url()).toBe(`${origin}/`)
    await page.context().clearCookies()
    await page.getByRole('link', { name: 'Health' }).click()
    await page.getByRole('alert').getByText('Open the address with the token').waitFor()
    await page.reload()
    expect(await page.locator('body').innerText()).toMatch(/^Open the address with the token/)
    await endVisit(visited)
  })
})

describeUnless(withoutBrowser)('the page of another site', () => {
  const visit = useChromium()
  let shop: Shop

  beforeAll(async () => {
    shop = await openShop()
    await post(shop.inboxUrl, delivery('orders.approve', { data: order({ id: 'kept', attributes: { number: '1' } }) }))
    await vi.waitUntil(async () => (await shop.inbox.statistics()).dead === 1, { timeout: 10_000 })
    shop.setBroken(false)
  })
  afterAll(() => shop?.close())

  /** Here everybody may see the dashboard, as with a cookie that a browser would send along. */
  async function openSite(html: string) {
    const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(html))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void server.close().closeAllConnections())
    const { port } = server.address() as AddressInfo
    return visit(`http://127.0.0.1:${port}/`, { allowed: new URL(shop.url).origin })
  }

  it('cannot send a form, and whoever clicked it reads why', async () => {
    const action = `${shop.url}api/inbox/retry`
    const visited = await openSite(
      `<form method="post" enctype="text/plain" action="${action}"><input name='{"all":true,"' value='":1}'><button>Win</button></form>`,
    )
    await visited.page.getByRole('button', { name: 'Win' }).click()
    await visited.page.getByRole('heading', { name: 'Hooklayer' }).waitFor()
    await visited.page.getByText('Calls must come from the page of the dashboard itself.').waitFor()
    expect((await shop.inbox.statistics()).dead).toBe(1)
    expect(shop.effects.size).toBe(0)
    await visited.close()
  })

  it('cannot call it, read it or show it in a frame', async () => {
    const visited = await openSite(`<iframe src="${shop.url}"></iframe>`)
    const { page } = visited
    const results = await page.evaluate(async (url) => {
      const call = (path: string, init: RequestInit) =>
        fetch(url + path, init).then(
          ({ status, type }) => `${type} ${status}`,
          () => 'failed',
        )
      return [
        await call('api/setup', {}),
        await call('api/setup', { mode: 'no-cors' }),
        await call('api/inbox/discard', { method: 'POST', mode: 'no-cors', body: '{"all":true}' }),
        await call('api/inbox/discard', {
          method: 'POST',
          headers: { 'x-hooklayer-token': 'x' },
          body: '{"all":true}',
        }),
      ]
    }, shop.url)
    expect(results).toEqual(['failed', 'failed', 'failed', 'failed'])
    const frame = page.frames()[1]
    expect(await frame?.evaluate(() => document.body.innerText).catch(() => '')).not.toContain('Deliveries')
    expect((await shop.inbox.statistics()).dead).toBe(1)
    await visited.close()
  })
})

describeUnless(withoutBrowser)('an address of something that is not there', () => {
  const visit = useChromium()
  let shop: Shop

  beforeAll(async () => {
    shop = await openShop()
  })
  afterAll(() => shop?.close())

  it.each([
    ['a delivery', '#/deliveries/nothing-like-this', 'There is no such delivery any more.'],
    ['a dead letter', '#/inbox/nothing-like-this', 'There is no such dead letter any more.'],
    ['a topic', '#/trigger/orders.eat', 'orders.eat'],
    ['markup', '#/deliveries/%3Cimg%20src=x%3E', 'There is no such delivery any more.'],
    ['broken characters', '#/deliveries/%E0%A4%A', 'There is no such delivery any more.'],
  ])('%s is said, and the page works', async (_, hash, sentence) => {
    const visited = await visit(`${shop.url}${hash}`)
    const { page } = visited
    await page.getByRole('alert').filter({ hasText: sentence }).waitFor()
    await page.getByRole('link', { name: 'Health' }).click()
    await page.getByRole('heading', { name: 'Health' }).waitFor()
    await endVisit(visited)
  })

  it('as a page leads to the deliveries', async () => {
    const visited = await visit(`${shop.url}nothing/like/this#/nothing`)
    await visited.page.getByRole('heading', { name: 'No delivery yet' }).waitFor()
    await endVisit(visited)
  })
})
