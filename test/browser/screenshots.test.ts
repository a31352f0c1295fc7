import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, it, vi } from 'vitest'
import { bytes, delivery, OTHER_SECRET, withHeaders } from '../deliveries.ts'
import { describeUnless } from '../unless.ts'
import { endVisit, useChromium, withoutBrowser } from './chromium.ts'
import { openShop, post, type Shop } from './shop.ts'
import { takeSmallScreenshot } from './small-png.ts'

const FOLDER = fileURLToPath(new URL('../../docs/images/dashboard/', import.meta.url))
const reason = process.env.UPDATE_SCREENSHOTS
  ? withoutBrowser
  : 'UPDATE_SCREENSHOTS=1 draws the pictures of the docs anew'

/** The pictures of the docs, of a shop in which something has gone wrong. */
describeUnless(reason)('a picture of the dashboard', () => {
  const visit = useChromium()
  let shop: Shop
  let refused: string
  let wrong: string

  beforeAll(async () => {
    shop = await openShop()
    mkdirSync(FOLDER, { recursive: true })
    const { emulator, hookUrl, inboxUrl, recorder } = shop
    const countRecords = async () => (await recorder.list({ limit: 500 })).records.length
    for (let i = 0; i < 5; i++) await emulator.trigger('orders.approve')
    await vi.waitUntil(async () => (await shop.inbox.statistics()).dead === 5, { timeout: 10_000 })
    await post(inboxUrl, delivery('shipments.ship', '{"data":{"id":"kVbPxhLmQz","type":"shipments"}}', OTHER_SECRET))
    for (let i = 0; i < 3; i++) await emulator.trigger('orders.place', { metadata: { fail: true } })
    await post(hookUrl, withHeaders(delivery('orders.place', '{}'), { 'x-commercelayer-signature': undefined }))
    for (let i = 0; i < 6; i++) {
      await emulator.trigger('orders.place')
      await emulator.trigger('customers.create')
    }
    await emulator.ask('tax')
    await emulator.ask('tax', { resource: { number: 'untaxed' } })
    await emulator.ask('prices')
    shop.prices.text = '{"success":true,"data":{"unit_amount_cents":49.9}}'
    wrong = (await emulator.ask('prices')).id
    shop.prices.status = 503
    for (let i = 0; i < 3; i++) await emulator.ask('prices')
    const before = await countRecords()
    const body = '{"data":{"id":"NrlYhpzLKA","type":"orders","attributes":{"number":"1240","total_amount_float":58.0}}}'
    await post(hookUrl, { headers: delivery('orders.place', body).headers, body: bytes(body.replace('58.0', '58')) })
    await vi.waitUntil(async () => (await countRecords()) > before, { timeout: 10_000 })
    refused = String((await recorder.list({ outcome: 'refused' })).records[0]?.id)
  })
  afterAll(() => shop?.close())

  const pages: readonly (readonly [string, () => string])[] = [
    ['deliveries', () => '#/deliveries'],
    ['delivery', () => `#/deliveries/${refused}`],
    ['inbox', () => '#/inbox'],
    ['webhooks', () => '#/webhooks'],
    ['trigger', () => '#/trigger/orders.place'],
    ['answers', () => `#/answers/${wrong}`],
    ['health', () => '#/health?minutes=15'],
  ]
  it.each(pages.flatMap(([name, toHash]) => [[name, 'light', toHash] as const, [name, 'dark', toHash] as const]))(
    '%s, %s',
    async (name, colorScheme, toHash) => {
      const visited = await visit(`${shop.url}${toHash()}`, { colorScheme, height: 700, timezoneId: 'Europe/Rome' })
      await visited.page.locator('main :is(.rows-body [role=row], .panel h3, .card, .json, .chart)').first().waitFor()
      await visited.page.waitForTimeout(500)
      writeFileSync(`${FOLDER}${name}-${colorScheme}.png`, await takeSmallScreenshot(visited.page))
      await endVisit(visited)
    },
  )
})
