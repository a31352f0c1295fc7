import type { RequestListener } from 'node:http'
import { createNodeListener } from 'hooklayer/node'
import { createResponder, type ExternalResourceKind, refuse } from 'hooklayer/responder'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AnswerDetails, AnswerItem, AnswerPage, HolderItem, Holders, Sample } from '../../src/dashboard/api.ts'
import { startApiProxy } from '../cli/api-proxy.ts'
import { listen } from '../contracts/adapter/listen.ts'
import { connect, startCommerceLayer } from '../management/harness.ts'
import { SILENT } from '../responder/harness.ts'
import { type Page, startDashboard } from './harness.ts'
import { watchLive } from './watch-live.ts'

const SECRET = 'a secret of holders'

/** A shop that can be asked for what the test sets, and the dashboard of its development. */
async function start({ redact = false, kind = 'tax' as ExternalResourceKind } = {}) {
  const { emulator, api } = await startCommerceLayer({ secret: SECRET })
  let answer: RequestListener = createNodeListener(
    createResponder('tax', { secret: SECRET, logger: SILENT }, ({ resource: order }) =>
      order.number === 'none' ? refuse('NO_TAX', `There is no tax for ${order.customer_email}.`) : { tax_rate: 0.22 },
    ),
  )
  const { url, close } = await listen((request, response) => answer(request, response), '/taxes')
  onTestFinished(close)
  const { id: holderId } = emulator.addHolder(kind, `${url}?key=sesame`)
  return {
    ...{ emulator, api, url, holderId },
    page: await startDashboard({ emulator, redact }),
    answerWith(status: number, text: string) {
      answer = (request, response) => void request.resume().on('end', () => response.writeHead(status).end(text))
    },
  }
}

const list = async (page: Page) => (await page.get<AnswerPage>('api/answers')).json
const open = async (page: Page, id: string) => (await page.get<AnswerDetails>(`api/answers/${id}`)).json

describe('answers', () => {
  it('are listed with what was asked for and what came of it, the newest first', async () => {
    const { page, emulator, url, answerWith } = await start()
    expect(await list(page)).toEqual({ items: [], hasMore: false })
    await emulator.ask('tax', { resource: { number: '4711' } })
    await emulator.ask('tax', { resource: { number: 'none', customer_email: 'zoe@example.com' } })
    answerWith(200, '{"success":true,"data":{"tax_rate":22}}')
    await emulator.ask('tax')
    answerWith(500, 'oops')
    await emulator.ask('tax')
    const shared = { kind: 'tax', url: `${url}?key=sesame`, durationMs: expect.any(Number), id: expect.any(String) }
    const fallback = 'It is not known. The event orders.tax_calculation_failed is inferred.'
    const { items } = await list(page)
    expect(items).toMatchObject([
      { ...shared, outcome: 'unanswered', status: 500, fallback },
      { ...shared, outcome: 'malformed', status: 200, problem: '`data.tax_rate` is not from 0 to 1.', fallback },
      {
        ...{ ...shared, outcome: 'refused', status: 422, resource: { type: 'orders', number: 'none' } },
        error: { code: 'NO_TAX', message: 'There is no tax for zoe@example.com.' },
      },
      {
        ...{ ...shared, outcome: 'accepted', status: 200, resource: { type: 'orders', number: '4711' } },
        data: '{"tax_rate":0.22}',
      },
    ])
    expect(items.at(-1)).not.toHaveProperty('fallback')
    expect(Date.now() - Date.parse(String(items[0]?.askedAt))).toBeLessThan(10_000)
  })

  it('are opened with the request, the text of the answer, and the circuit as it is now', async () => {
    const { page, emulator, answerWith, holderId, url } = await start()
    answerWith(503, '<h1>Down</h1>')
    const { id, request } = await emulator.ask('tax')
    await emulator.ask('tax')
    expect(await open(page, id)).toMatchObject({
      ...{ id, outcome: 'unanswered', status: 503, text: '<h1>Down</h1>', isMasked: false },
      request: { data: { type: 'orders' }, included: request.included },
      holder: {
        ...{ id: holderId, kind: 'tax', url: `${url}?key=sesame`, name: 'tax of the emulator' },
        circuits: [{ state: 'closed', failures: 2, failuresLeft: 29 }],
      },
    })
    expect((await page.get('api/answers/none')).status).toBe(404)
  })

  it('say why there was none', async () => {
    const { page, emulator } = await start()
    const { url, close } = await listen(() => {})
    await close()
    emulator.addHolder('tax', url)
    const { json } = await page.post<AnswerItem>('api/answers', { kind: 'tax' })
    expect(json).toMatchObject({ outcome: 'unanswered', problem: 'Connection refused.' })
    expect(json).not.toHaveProperty('status')
  })

  it('are told to open pages, whoever has asked', async () => {
    const { page, emulator } = await start()
    const live = await watchLive(page.url)
    await emulator.ask('tax')
    await expect.poll(live.messages).toContainEqual({ type: 'answers' })
  })

  it('are masked where personal data is, also in what the shop says', async () => {
    const { page, emulator } = await start({ redact: true })
    const resource = {
      ...{ number: 'none', customer_email: 'zoe@example.com' },
      shipping_address: { first_name: 'Zoe', line_1: 'Via Segreta 12' },
    }
    const { id } = await emulator.ask('tax', { resource })
    const texts = [(await page.get('api/answers')).text, (await page.get(`api/answers/${id}`)).text]
    texts.push((await page.post('api/answers', { kind: 'tax', resource })).text)
    texts.push((await page.post(`api/answers/${id}/ask-again`)).text)
    expect(texts.join()).not.toMatch(/zoe|Segreta|sesame/i)
    expect(texts.join()).toContain('NO_TAX')
    expect(await open(page, id)).toMatchObject({
      isMasked: true,
      request: { data: { attributes: { number: 'none' } } },
    })
  })

  it('are masked before they are cut, so that no half of a name is left', async () => {
    const { page, emulator, answerWith } = await start({ redact: true })
    const message = `${'x'.repeat(594)} Segreta`
    answerWith(422, JSON.stringify({ success: false, error: { code: 'NO_TAX', message } }))
    await emulator.ask('tax', { resource: { shipping_address: { last_name: 'Segreta' } } })
    const [item] = (await list(page)).items
    expect(item?.error?.message).toMatch(/^x{594} /)
    expect(item?.error?.message).not.toContain('Segre')
  })

  it('that are many are listed up to 500', async () => {
    const { page, emulator } = await start()
    for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 51 }, () => emulator.ask('tax')))
    const { items, hasMore } = await list(page)
    expect([items.length, hasMore]).toEqual([500, true])
    expect(items[0]?.id).toBe(emulator.answers.at(-1)?.id)
  })
})

describe('asking', () => {
  it('takes the sample, changed as the page changes it, and a holder', async () => {
    const { page, emulator, holderId, answerWith } = await start()
    expect((await page.get('api/setup')).json).toMatchObject({ kinds: ['tax'] })
    const sample = (await page.get<Sample>('api/trigger/tax')).json
    expect(sample).toMatchObject({
      topic: 'tax',
      resource: { type: 'orders', shipping_address: { type: 'addresses' } },
    })
    const { json } = await page.post<AnswerItem>('api/answers', { kind: 'tax', resource: { number: '4711' } })
    expect(json).toMatchObject({ outcome: 'accepted', resource: { number: '4711' } })
    const { url } = await listen((_, response) => response.writeHead(404).end('{}'))
    emulator.addHolder('tax', url)
    expect((await page.post<AnswerItem>('api/answers', { kind: 'tax' })).json).toMatchObject({ outcome: 'malformed' })
    answerWith(200, '{"success":true,"data":{"tax_rate":0.1}}')
    const request = { kind: 'tax', holderId, resource: sample.resource }
    expect((await page.post<AnswerItem>('api/answers', request)).json).toMatchObject({ outcome: 'accepted' })
  })

  it('again sends the same document', async () => {
    const { page, emulator, holderId } = await start()
    const first = await emulator.ask('tax', { resource: { number: 'none' } })
    emulator.addHolder('tax', 'http://127.0.0.1:9/')
    const { status, json } = await page.post<AnswerItem>(`api/answers/${first.id}/ask-again`)
    expect([status, json]).toMatchObject([200, { outcome: 'refused', resource: { number: 'none' } }])
    expect(emulator.answers).toMatchObject([{ holderId }, { holderId, request: first.request, id: json.id }])
    expect((await page.post('api/answers/none/ask-again')).status).toBe(404)
  })

  it.each([
    [{ kind: 'payment' }, /`kind`/],
    [{ kind: 'prices' }, /Nothing holds `prices`/],
    [{ kind: 'tax', holderId: 'none' }, /There is no holder/],
    [{ kind: 'tax', resource: [] }, /`resource`/],
    [{ kind: 'tax', times: 2 }, /times/],
    [{}, /`kind`/],
  ])('refuses %j', async (body, message) => {
    const { page } = await start()
    const { status, json } = await page.post<{ error: string }>('api/answers', body)
    expect(status).toBe(400)
    expect(json.error).toMatch(message)
  })

  it('needs the token of the page, and its origin', async () => {
    const { page, emulator } = await start()
    const { id } = await emulator.ask('tax')
    for (const path of ['api/answers', `api/answers/${id}/ask-again`]) {
      expect((await page.post(path, { kind: 'tax' }, { 'x-hooklayer-token': 'x' })).status).toBe(403)
      expect((await page.post(path, { kind: 'tax' }, { origin: 'https://evil.example' })).status).toBe(403)
    }
    expect(emulator.answers).toHaveLength(1)
  })

  it('is not there without an emulator', async () => {
    const { api } = await startCommerceLayer()
    const page = await startDashboard({ management: api })
    expect((await page.get('api/setup')).json).toMatchObject({ kinds: [] })
    expect((await page.get('api/answers')).status).toBe(404)
    expect((await page.post('api/answers', { kind: 'tax' })).status).toBe(404)
  })
})

describe('holders', () => {
  it('of the emulator are listed, and asked again after a reset of their circuit', async () => {
    const { page, emulator, answerWith, holderId, url } = await start()
    answerWith(500, '')
    for (let i = 0; i < 31; i++) await emulator.ask('tax')
    const { json } = await page.get<Holders>('api/holders')
    const circuits = [{ state: 'open', failures: 31, failuresLeft: 0 }]
    expect(json).toEqual({
      items: [{ id: holderId, kind: 'tax', name: 'tax of the emulator', url: `${url}?key=sesame`, circuits }],
      hasMore: false,
    })
    expect((await page.post<AnswerItem>('api/answers', { kind: 'tax' })).json).toMatchObject({ outcome: 'skipped' })
    const reset = await page.post<HolderItem>(`api/holders/${holderId}/reset`)
    expect([reset.status, reset.json.circuits]).toEqual([200, [{ state: 'closed', failures: 0, failuresLeft: 31 }]])
    expect((await page.post<AnswerItem>('api/answers', { kind: 'tax' })).json).toMatchObject({ outcome: 'unanswered' })
    expect((await page.post('api/holders/none/reset')).status).toBe(404)
    expect((await page.post(`api/holders/${holderId}/reset`, {}, { 'x-hooklayer-token': 'x' })).status).toBe(403)
  })

  it('of prices have a circuit for each line item', async () => {
    const { page, emulator, answerWith, holderId } = await start({ kind: 'prices' })
    answerWith(500, '')
    await emulator.ask('prices', { resource: { id: 'one' } })
    const { id } = await emulator.ask('prices', { resource: { id: 'two' } })
    await emulator.ask('prices', { resource: { id: 'two' } })
    const toCircuit = (line: string, failures: number) => {
      const resource = { type: 'line_items', id: line }
      return { resource, state: 'closed', failures, failuresLeft: 31 - failures }
    }
    const { json } = await page.get<Holders>('api/holders')
    expect(json.items[0]?.circuits).toEqual([toCircuit('two', 2), toCircuit('one', 1)])
    expect((await open(page, id)).holder.circuits).toEqual([toCircuit('two', 2)])
    expect((await page.post<HolderItem>(`api/holders/${holderId}/reset`)).json.circuits).toEqual([])
  })

  it('of Commerce Layer are read once in five seconds, and their circuits reset', async () => {
    const { emulator } = await startCommerceLayer()
    const add = (kind: ExternalResourceKind) => emulator.addHolder(kind, `http://127.0.0.1:9/${kind}?key=sesame`)
    const [tax, prices] = [add('tax'), add('prices'), add('order-validation'), add('promotion'), add('shipping-cost')]
    await emulator.ask('tax')
    const { url, requests } = await startApiProxy(emulator)
    const page = await startDashboard({ management: connect(emulator, url) })
    const { json } = await page.get<Holders>('api/holders')
    expect(Object.fromEntries(json.items.map(({ kind, ...holder }) => [kind, holder]))).toMatchObject({
      tax: { id: tax?.id, url: 'http://127.0.0.1:9/tax?…', circuits: [{ failures: 1, failuresLeft: 30 }] },
      prices: { id: prices?.id, circuits: [] },
      'order-validation': { circuits: [] },
      promotion: { circuits: [{ state: 'closed', failures: 0 }] },
      'shipping-cost': { circuits: [{ failures: 0 }] },
    })
    const count = requests.length
    await page.get('api/holders')
    expect(requests).toHaveLength(count)
    expect((await page.post<HolderItem>(`api/holders/${tax?.id}/reset`)).json).toMatchObject({
      circuits: [{ failures: 0, failuresLeft: 31 }],
    })
    expect(emulator.holders[0]?.circuit_failure_count).toBe(0)
    const refused = await page.post<{ error: string }>(`api/holders/${prices?.id}/reset`)
    expect([refused.status, refused.json.error]).toEqual([409, expect.stringContaining('A market has no circuit')])
  })

  it('of Commerce Layer that are very many are cut', async () => {
    const { emulator, api } = await startCommerceLayer()
    for (let i = 0; i < 101; i++) emulator.addHolder('promotion', 'http://127.0.0.1:9/')
    const { json } = await (await startDashboard({ management: api })).get<Holders>('api/holders')
    expect([json.items.length, json.hasMore]).toEqual([100, true])
  })
})
