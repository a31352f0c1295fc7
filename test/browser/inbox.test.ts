import { expect, it } from 'vitest'
import { delivery, order } from '../deliveries.ts'
import { describeUnless } from '../unless.ts'
import { withoutBrowser } from './chromium.ts'
import { post } from './shop.ts'
import { useDashboard } from './use-dashboard.ts'

describeUnless(withoutBrowser)('the inbox in the dashboard', () => {
  const dashboard = useDashboard('#/inbox')

  const rows = () => dashboard.page.locator('.rows-body [role=row]')
  const panel = () => dashboard.page.getByRole('region', { name: 'Dead letter', exact: true })
  const dialog = () => dashboard.page.getByRole('dialog')
  const countDead = async () => (await dashboard.shop.inbox.statistics()).dead

  async function makeDead(number: number, prefix: string): Promise<void> {
    const before = await countDead()
    dashboard.shop.setBroken(true)
    const ids = Array.from({ length: number }, (_, i) => `${prefix}-${i}`)
    for (let from = 0; from < ids.length; from += 50) {
      const some = ids.slice(from, from + 50)
      await Promise.all(
        some.map((id) => {
          const data = order({ id, attributes: { number: id } })
          return post(dashboard.shop.inboxUrl, delivery('orders.approve', { data }))
        }),
      )
    }
    await expect.poll(countDead, { timeout: 30_000 }).toBe(before + number)
  }

  it('says what a dead letter is while there is none', async () => {
    await dashboard.page.getByRole('heading', { name: 'No dead letters' }).waitFor()
  })

  it('shows a dead letter with its order, handler, cause and attempts, and retries it', async () => {
    await makeDead(1, 'single')
    await rows().filter({ hasText: '#single-0' }).click()
    await panel().getByRole('heading', { name: 'Why it failed' }).waitFor()
    const text = await panel().innerText()
    for (const part of ['orders #single-0', '1 of 1 attempts', 'pack order', 'The warehouse is closed']) {
      expect(text).toContain(part)
    }
    dashboard.shop.setBroken(false)
    await panel().getByRole('button', { name: 'Retry' }).click()
    await dashboard.page.getByText('Put back into the queue: 1 of 1 dead letter.').waitFor()
    await expect.poll(() => dashboard.shop.effects.get('single-0')).toBe(1)
    await dashboard.page.getByRole('heading', { name: 'No dead letters' }).waitFor()
  })

  it('retries a thousand dead letters, and each has its effect once', async () => {
    await makeDead(1000, 'many')
    await dashboard.page.getByRole('button', { name: 'Retry all 1,000' }).waitFor()
    dashboard.shop.setBroken(false)
    await dashboard.page.getByRole('button', { name: 'Retry all 1,000' }).click()
    await dialog().getByRole('button', { name: 'Retry' }).click()
    await dashboard.page.getByText('Put back into the queue: 1,000 of 1,000 dead letters.').waitFor({ timeout: 30_000 })
    const effects = () => [...dashboard.shop.effects].filter(([id]) => id.startsWith('many-'))
    await expect.poll(() => effects().length, { timeout: 30_000 }).toBe(1000)
    await expect.poll(async () => (await dashboard.shop.inbox.statistics()).running).toBe(0)
    expect(effects().every(([, number]) => number === 1)).toBe(true)
    await dashboard.page.getByRole('heading', { name: 'No dead letters' }).waitFor()
  })

  it('retries those that are selected, by keyboard', async () => {
    await makeDead(5, 'chosen')
    await rows().filter({ hasText: '#chosen-4' }).waitFor()
    dashboard.shop.setBroken(false)
    await dashboard.page.keyboard.press('j')
    await dashboard.page.keyboard.press('x')
    await dashboard.page.keyboard.press('j')
    await dashboard.page.keyboard.press('j')
    await dashboard.page.keyboard.press('x')
    await dashboard.page.getByRole('button', { name: 'Retry 2 selected' }).click()
    await expect.poll(() => [...dashboard.shop.effects.keys()].filter((id) => id.startsWith('chosen-')).length).toBe(2)
    await expect.poll(countDead).toBe(3)
  })

  it('discards after ten seconds, and undoes that until then', async () => {
    await dashboard.page.getByRole('button', { name: 'Discard all 3' }).click()
    await dialog().getByRole('button', { name: 'Discard' }).click()
    await dashboard.page.getByText(/Discarding 3 dead letters in \d+ s/).waitFor()
    await dashboard.page.getByRole('button', { name: 'Undo' }).click()
    await dashboard.page.getByText('Undone. Nothing was discarded.').waitFor()
    expect(await countDead()).toBe(3)
    await rows().first().click()
    await panel().getByRole('button', { name: 'Discard' }).click()
    await dashboard.page.getByText('Discarded: 1 of 1 dead letter.').waitFor({ timeout: 15_000 })
    expect(await countDead()).toBe(2)
  })

  it('retries those of a topic', async () => {
    dashboard.shop.setBroken(false)
    await dashboard.page.getByRole('combobox', { name: 'Topic' }).selectOption('orders.place')
    await dashboard.page.getByRole('heading', { name: 'Nothing matches' }).waitFor()
    await dashboard.page.getByRole('combobox', { name: 'Topic' }).selectOption('orders.approve')
    await dashboard.page.getByRole('button', { name: 'Retry all 2 of this topic' }).click()
    await dialog().getByRole('button', { name: 'Retry' }).click()
    await expect.poll(countDead).toBe(0)
  })

  it('takes a searched dead letter by selection only', async () => {
    await makeDead(2, 'sought')
    await dashboard.page.getByRole('searchbox', { name: /Search/ }).fill('sought-1')
    await expect.poll(() => rows().count()).toBe(1)
    expect(await dashboard.page.getByRole('button', { name: /^Retry/ }).isDisabled()).toBe(true)
    await dashboard.page.getByRole('checkbox', { name: 'Select' }).check()
    expect(await dashboard.page.getByRole('button', { name: 'Retry 1 selected' }).isEnabled()).toBe(true)
  })
})
