import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { expect, it, onTestFinished } from 'vitest'
import { delivery, order } from '../deliveries.ts'
import { createCrashableRedis } from '../servers/crashable.ts'
import { noRedisProgram } from '../servers/redis.ts'
import { connect } from '../sqlite/folder.ts'
import { describeUnless } from '../unless.ts'
import { endVisit, useChromium, withoutBrowser } from './chromium.ts'
import { openShop, post, type Shop, type ShopOptions } from './shop.ts'

describeUnless(withoutBrowser)('a page of the dashboard whose source is down', () => {
  const visit = useChromium()

  async function open(options: ShopOptions): Promise<Shop> {
    const shop = await openShop(options)
    onTestFinished(() => shop.close())
    return shop
  }
  const sendOrder = (url: string, number: string, topic = 'orders.place') =>
    post(url, delivery(topic, { data: order({ id: `order-${number}`, attributes: { number } }) }))
  function createFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'dashboard-down-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    return folder
  }

  it.skipIf(noRedisProgram)('says so of the inbox, changes nothing, and retries when it is back', async () => {
    const redis = await createCrashableRedis()
    onTestFinished(() => redis.remove())
    await redis.start()
    const inbox = createBullmqInbox({ redis: redis.url, putTimeoutMs: 2000 })
    const shop = await open({ inbox })
    await expect.poll(() => sendOrder(shop.inboxUrl, '9101', 'orders.approve')).toBe(202)
    await expect.poll(async () => (await inbox.statistics()).dead).toBe(1)
    const visited = await visit(`${shop.url}#/inbox`)
    const { page } = visited
    const row = page.locator('.rows-body [role=row]').filter({ hasText: '#9101' })
    await row.waitFor()

    await redis.kill()
    await row.click()
    const panel = page.getByRole('region', { name: 'Dead letter', exact: true })
    await panel.getByText('The inbox does not answer.').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Retry the only one' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Retry' }).click()
    await page
      .getByText(/The inbox does not answer\. The log of the server says why\./)
      .first()
      .waitFor()
    expect(shop.effects.size).toBe(0)
    await row.waitFor() // What was shown stays.
    await page.keyboard.press('1')
    await page.locator('.rows-body [role=row]').filter({ hasText: '#9101' }).first().waitFor()
    await page.goto(`${shop.url}#/inbox?topic=orders.approve`)
    await page.reload()
    await page.getByRole('alert').first().getByText('The inbox does not answer.').waitFor()

    shop.setBroken(false)
    await redis.start()
    await expect.poll(async () => (await inbox.statistics().catch(() => undefined))?.dead).toBe(1)
    for (const button of await page.getByRole('button', { name: 'Try again' }).all()) await button.click()
    await page.getByRole('button', { name: 'Retry the only one' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Retry' }).click()
    await expect.poll(() => shop.effects.get('order-9101')).toBe(1)
    await endVisit(visited)
  })

  it("says so of a damaged recorder's file, leaves the file as it is, and shows the inbox", async () => {
    const recorderFile = join(createFolder(), 'records.db')
    writeFileSync(recorderFile, `No database, but of zoe@example.com. ${'x'.repeat(10_000)}`)
    const before = readFileSync(recorderFile)
    const shop = await open({ recorderFile })
    expect(await sendOrder(shop.hookUrl, '9201')).toBe(200)
    expect(await sendOrder(shop.inboxUrl, '9202', 'orders.approve')).toBe(202)
    await expect.poll(async () => (await shop.inbox.statistics()).dead).toBe(1)
    const visited = await visit(shop.url)
    const { page } = visited
    const notice = page.getByRole('alert').getByText('The recorder cannot be read. The log of the server says why.')
    await notice.waitFor()
    expect(await page.locator('body').innerText()).not.toMatch(/zoe|No delivery|records\.db/)
    await page.keyboard.press('6')
    await page.getByRole('heading', { name: 'Health' }).waitFor()
    await notice.waitFor()
    await page.keyboard.press('2')
    await page.locator('.rows-body [role=row]').filter({ hasText: '#9202' }).waitFor()
    expect(readFileSync(recorderFile)).toEqual(before)

    rmSync(recorderFile)
    expect(await sendOrder(shop.hookUrl, '9203')).toBe(200)
    await page.keyboard.press('1')
    await page.locator('.rows-body [role=row]').filter({ hasText: '#9203' }).waitFor()
    await endVisit(visited)
  })

  it("says so of a recorder's file that is full, and goes on with what was there when there is room", async () => {
    const recorderFile = join(createFolder(), 'records.db')
    const shop = await open({ recorderFile })
    await sendOrder(shop.hookUrl, '9301')
    const visited = await visit(shop.url)
    const { page } = visited
    const rowOf = (number: string) => page.locator('.rows-body [role=row]').filter({ hasText: `#${number}` })
    await rowOf('9301').waitFor()
    const database = connect(recorderFile)
    database.exec(
      "CREATE TRIGGER full BEFORE INSERT ON hooklayer_records BEGIN SELECT RAISE(ABORT, 'disk is full'); END",
    )
    expect(await sendOrder(shop.hookUrl, '9302')).toBe(200)
    await page.reload()
    const notice = page.getByRole('alert').getByText('The recorder cannot be read. The log of the server says why.')
    await notice.waitFor()
    expect(await page.locator('.empty').count()).toBe(0) // It does not say that there is nothing.

    database.exec('DROP TRIGGER full')
    await sendOrder(shop.hookUrl, '9303')
    await page.getByRole('button', { name: 'Try again' }).click()
    await rowOf('9303').waitFor()
    await rowOf('9301').waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
    await page.keyboard.press('6')
    await page.getByText('1 attempt could not be recorded').waitFor()
    await endVisit(visited)
  })
})
