import { createConnection } from 'node:net'
import { expect, it } from 'vitest'
import { bytes, delivery, OTHER_SECRET, order, SECRET, withHeaders } from '../deliveries.ts'
import { describeUnless } from '../unless.ts'
import { endVisit, withoutBrowser } from './chromium.ts'
import { post } from './shop.ts'
import { useDashboard } from './use-dashboard.ts'

describeUnless(withoutBrowser)('the deliveries in the dashboard', () => {
  const dashboard = useDashboard()
  let examinedAt = performance.now()

  const rows = () => dashboard.page.locator('.rows-body [role=row]')
  const panel = () => dashboard.page.getByRole('region', { name: 'Delivery', exact: true })
  const sendOrder = (number: string, metadata: object = {}) =>
    post(
      dashboard.shop.hookUrl,
      delivery('orders.place', { data: order({ id: `order-${number}`, attributes: { number, metadata } }) }),
    )

  /** Opens what was sent. It may be recorded after the answer. */
  async function openRefusal(send: () => Promise<unknown>): Promise<void> {
    // One mismatch a second is examined.
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, examinedAt + 1100 - performance.now())))
    const readLatest = async () => (await dashboard.shop.recorder.list({ outcome: 'refused', limit: 1 })).records[0]?.id
    const before = await readLatest()
    await send()
    await expect.poll(readLatest, { interval: 20 }).not.toBe(before)
    if (
      (await dashboard.shop.recorder.list({ outcome: 'refused', limit: 1 })).records[0]?.error?.code ===
      'SIGNATURE_MISMATCH'
    )
      examinedAt = performance.now()
    await dashboard.page.locator(`.rows-body [role=row]:has(a[href*="${await readLatest()}"])`).click()
  }

  it('says what to do while there is none', async () => {
    await dashboard.page.getByRole('heading', { name: 'No delivery yet' }).waitFor()
    expect(await dashboard.page.locator('.empty').innerText()).toContain('npx hooklayer trigger orders.place')
  })

  it('appear at the top as they come in', async () => {
    await sendOrder('7001')
    await rows().filter({ hasText: '#7001' }).waitFor()
    await sendOrder('7002')
    await rows().filter({ hasText: '#7002' }).waitFor()
    expect(await rows().allInnerTexts()).toEqual([expect.stringContaining('#7002'), expect.stringContaining('#7001')])
    expect(await rows().first().innerText()).toMatch(/Handled\s+orders\.place\s+#7002\s+200/)
  })

  it('do not move while somebody reads: those that come in are counted', async () => {
    await rows().first().focus()
    const before = await rows().first().innerText()
    await sendOrder('7003')
    await sendOrder('7004')
    await dashboard.page.getByRole('button', { name: '2 new' }).waitFor()
    expect(await rows().first().innerText()).toBe(before)
    await dashboard.page.getByRole('button', { name: '2 new' }).click()
    await rows().filter({ hasText: '#7004' }).waitFor()
    expect(await dashboard.page.getByRole('button', { name: /new/ }).count()).toBe(0)
  })

  it.each([
    ['an order number', '7002'],
    ['an id', 'order-7002'],
  ])('are found by %s', async (_, search) => {
    await dashboard.page.keyboard.press('/')
    await dashboard.page.keyboard.type(search)
    await expect.poll(() => rows().allInnerTexts()).toEqual([expect.stringContaining('#7002')])
    expect(dashboard.page.url()).toContain(`search=${search}`)
  })

  it('are searched without taking away what is typed while a search begins', async () => {
    const input = dashboard.page.getByRole('searchbox', { name: /Search/ })
    const shown = await input.evaluate(async (element: HTMLInputElement) => {
      const type = (text: string) => {
        element.value = text
        element.dispatchEvent(new Event('input', { bubbles: true }))
      }
      type('70')
      await new Promise((resolve) => addEventListener('hashchange', resolve, { once: true }))
      type('7002')
      const values = new Set<string>()
      while (!location.hash.includes('7002')) {
        values.add(element.value)
        await new Promise((resolve) => requestAnimationFrame(resolve))
      }
      return [...values]
    })
    expect(shown).toEqual(['7002'])
    await expect.poll(() => dashboard.page.url()).toContain('search=7002')
    expect(await input.inputValue()).toBe('7002')
    await expect.poll(() => rows().allInnerTexts()).toEqual([expect.stringContaining('#7002')])
    await dashboard.page.evaluate(() => history.replaceState(null, '', '#/deliveries?search=7001'))
    await dashboard.page.evaluate(() => dispatchEvent(new HashChangeEvent('hashchange')))
    await expect.poll(() => input.inputValue()).toBe('7001')
  })

  it('are filtered by outcome and topic, also those that come in', async () => {
    await post(
      dashboard.shop.hookUrl,
      withHeaders(delivery('orders.place', '{}'), { 'x-commercelayer-signature': undefined }),
    )
    await dashboard.page.getByRole('checkbox', { name: 'Refused' }).check()
    await expect.poll(() => rows().allInnerTexts()).toEqual([expect.stringContaining('SIGNATURE_MISSING')])
    await sendOrder('7005')
    await post(dashboard.shop.hookUrl, delivery('orders.place', '{}', OTHER_SECRET))
    await rows().filter({ hasText: 'SIGNATURE_MISMATCH' }).waitFor()
    expect(await rows().count()).toBe(2)
    await dashboard.page.getByRole('combobox', { name: 'Topic' }).selectOption('customers.create')
    await dashboard.page.getByRole('heading', { name: 'No delivery matches' }).waitFor()
  })

  it('are opened by a link that can be kept', async () => {
    await rows().filter({ hasText: '#7001' }).click()
    await panel().getByRole('heading', { name: 'orders.place' }).waitFor()
    const address = dashboard.page.url()
    const second = await dashboard.visit(address)
    await second.page.getByRole('heading', { name: 'Handlers' }).waitFor()
    const text = await second.page.getByRole('region', { name: 'Delivery', exact: true }).innerText()
    expect(text).toContain('orders #7001')
    for (const stage of ['Method and headers', 'Secrets', 'Body read', 'Signature', 'Document', 'Handlers']) {
      expect(text).toContain(stage)
    }
    expect(text).toContain('confirm order')
    expect(text).toContain('count order')
    await endVisit(second)
  })

  it('show which handler failed, and why', async () => {
    await sendOrder('7006', { fail: true })
    await rows().filter({ hasText: '#7006' }).click()
    await panel().getByRole('heading', { name: 'Why it failed' }).waitFor()
    const text = await panel().innerText()
    expect(text).toContain('A handler failed.')
    expect(text).toContain('The ERP does not answer: connect ECONNREFUSED')
    expect(text).toMatch(/count order\s+Handled/)
  })

  it('are sent again only after a question, and the answer is shown', async () => {
    await rows().filter({ hasText: '#7001' }).last().click()
    await panel().getByRole('button', { name: 'Send again' }).click()
    await dashboard.page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    expect((await dashboard.shop.recorder.list({ search: '7001' })).records).toHaveLength(1)
    await panel().getByRole('button', { name: 'Send again' }).click()
    await dashboard.page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click()
    await panel().getByText('1 call sent, 1 accepted.').waitFor()
    await expect.poll(async () => (await dashboard.shop.recorder.list({ search: '7001' })).records.length).toBe(2)
  })

  it('are redelivered to the handlers after a question', async () => {
    await rows().filter({ hasText: '#7002' }).click()
    await panel().getByRole('button', { name: 'Redeliver' }).click()
    await dashboard.page.getByRole('dialog').getByRole('button', { name: 'Redeliver' }).click()
    await panel().getByText('Redelivered: handled.').waitFor()
    const [latest] = (await dashboard.shop.recorder.list({ source: 'redelivery' })).records
    expect(latest?.resource?.number).toBe('7002')
  })

  it('lead from a relationship to the resource that is included', async () => {
    const data = order({ id: 'linked', relationships: { customer: { data: { type: 'customers', id: 'buyer' } } } })
    const included = Array.from({ length: 2000 }, (_, i) => ({ id: `item${i}`, type: 'line_items', attributes: {} }))
    const buyer = { id: 'buyer', type: 'customers', attributes: { code: 'the-one' } }
    await post(dashboard.shop.hookUrl, delivery('orders.place', { data, included: [...included, buyer] }))
    await dashboard.page.getByRole('searchbox', { name: /Search/ }).fill('linked')
    await expect.poll(() => rows().count()).toBe(1)
    await rows().first().click()
    await panel().getByRole('button', { name: 'customers buyer' }).click()
    await panel().getByText('the-one').waitFor()
    expect(await dashboard.page.evaluate(() => document.activeElement?.textContent)).toContain('customers buyer')
    // What is opened is one part of the two thousand.
    expect(await panel().locator('.tree li').count()).toBeLessThan(200)
  })

  it.each<readonly [cause: string, send: () => Promise<unknown>, code: string, says: readonly string[]]>([
    [
      'another method',
      () => post(dashboard.shop.hookUrl, { ...delivery('orders.place', '{}'), method: 'PUT' }),
      'METHOD_NOT_ALLOWED',
      ['Only POST is allowed.', 'Deliveries are sent by POST.'],
    ],
    [
      'an encoding',
      () => post(dashboard.shop.hookUrl, withHeaders(delivery('orders.place', '{}'), { 'content-encoding': 'gzip' })),
      'ENCODING_UNSUPPORTED',
      ['The body has a Content-Encoding.', 'proxy'],
    ],
    [
      'a body that is too large',
      () => post(dashboard.shop.hookUrl, delivery('orders.place', 'x'.repeat(4_000_001))),
      'BODY_TOO_LARGE',
      ['The body is over maxBodyBytes.'],
    ],
    [
      'a body that was parsed before',
      () => post(dashboard.shop.parsedUrl, delivery('orders.place', { data: order() })),
      'BODY_ALREADY_PARSED',
      ['the signed bytes are gone', 'express.json()'],
    ],
    [
      'no signature',
      () =>
        post(
          dashboard.shop.hookUrl,
          withHeaders(delivery('orders.place', '{}'), { 'x-commercelayer-signature': undefined }),
        ),
      'SIGNATURE_MISSING',
      ['The X-CommerceLayer-Signature header is missing.'],
    ],
    [
      'a body that was written anew',
      () => sendRewritten(dashboard.shop.hookUrl),
      'SIGNATURE_MISMATCH',
      ['parsed and serialized again, without the .0 of its floats'],
    ],
    [
      'the secret of another topic',
      () => post(dashboard.shop.hookUrl, delivery('orders.place', { data: order({ id: 'mixed-up' }) }, OTHER_SECRET)),
      'SIGNATURE_MISMATCH',
      ['It was signed with the secret of another topic'],
    ],
    [
      'a topic without a secret',
      () => post(dashboard.shop.hookUrl, delivery('returns.create', { data: order() })),
      'SECRET_UNKNOWN',
      ['There is no secret for this topic.'],
    ],
    [
      'a malformed topic',
      () =>
        post(dashboard.shop.hookUrl, withHeaders(delivery('orders.place', '{}'), { 'x-commercelayer-topic': '<b>no' })),
      'TOPIC_INVALID',
      ['The X-CommerceLayer-Topic header is malformed.'],
    ],
    [
      'a body that stalls',
      () => stall(dashboard.shop.hookUrl),
      'BODY_TIMEOUT',
      ['The body did not arrive within bodyTimeoutMs.'],
    ],
  ])('name the cause of a refusal: %s', async (_, send, code, says) => {
    await openRefusal(send)
    await panel().getByRole('heading', { name: 'Why it was refused' }).waitFor()
    const text = await panel().locator('.reason').innerText()
    expect(text).toContain(code)
    for (const part of says) expect(text).toContain(part)
  })

  it('show the bytes where a rewritten body differs from what was signed', async () => {
    await openRefusal(() => sendRewritten(dashboard.shop.hookUrl))
    await panel().getByRole('heading', { name: 'Where the bytes differ' }).waitFor()
    const [one = '', other = ''] = await panel().locator('figure').allTextContents()
    expect(one).toContain('"total_amount_float":10(nothing),"number"')
    expect(other).toContain('"total_amount_float":10.0,"number"')
    expect(await panel().locator('mark').allTextContents()).toEqual(['(nothing)', '.0'])
    expect(await panel().locator('.reason').innerText()).toContain('parsed and serialized again')
  })
})

/** Sends what `JSON.stringify(JSON.parse(body))` makes of a signed body. */
function sendRewritten(url: string): Promise<number> {
  const body = '{"data":{"id":"rewritten","type":"orders","attributes":{"total_amount_float":10.0,"number":"1"}}}'
  return post(url, { headers: delivery('orders.place', body).headers, body: bytes(JSON.stringify(JSON.parse(body))) })
}

/** Sends headers and a part of the body, and then nothing. */
async function stall(url: string): Promise<void> {
  const { hostname, port } = new URL(url)
  const socket = createConnection(Number(port), hostname)
  const { headers } = delivery('orders.place', '{}', SECRET)
  const lines = Object.entries({ host: hostname, 'content-length': '100', ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  socket.write(`POST / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n{"data"`)
  await new Promise((resolve) => socket.once('data', resolve))
  socket.destroy()
}
