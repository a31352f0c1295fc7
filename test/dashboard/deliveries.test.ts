import { createReceiver, PermanentError, type Receiver } from 'hooklayer'
import { createRecorder, type Recorder, type RecorderOptions } from 'hooklayer/recorder'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { DeliveryDetails, DeliveryPage, Health, Redelivered, SentCalls } from '../../src/dashboard/api.ts'
import { CART, delivery, order, recordingLogger, SECRET, withHeaders } from '../deliveries.ts'
import { startCommerceLayer, startEndpoint } from '../management/harness.ts'
import { waitFor } from '../wait-for.ts'
import { startDashboard } from './harness.ts'
import { watchLive } from './watch-live.ts'

const { logger } = recordingLogger()

function createRecorded(options: RecorderOptions = {}): { readonly recorder: Recorder; readonly receiver: Receiver } {
  const recorder = createRecorder({ logger, ...options })
  onTestFinished(() => recorder.close())
  return { recorder, receiver: createReceiver({ secrets: SECRET, recorder, logger }) }
}

const ZOE = { number: '2001', customer_email: 'zoe@example.com', notes: 'Ring twice', status: 'placed' }
const PLACED = delivery('orders.place', { data: order({ attributes: ZOE }) })

describe('deliveries', () => {
  it('are listed, the newest first, page by page and by filter', async () => {
    const { recorder, receiver } = createRecorded()
    receiver.on('orders.place', () => {})
    for (let i = 0; i < 5; i++) await receiver.receive(delivery('orders.place', { data: order({ id: `order${i}` }) }))
    await receiver.receive(delivery('orders.cancel', CART))
    await receiver.receive(withHeaders(PLACED, { 'x-commercelayer-signature': undefined }))
    const { get } = await startDashboard({ recorder })
    const first = (await get<DeliveryPage>('api/deliveries?limit=3')).json
    expect(first.items.map(({ outcome }) => outcome)).toEqual(['refused', 'ignored', 'handled'])
    expect(first.items[0]).toMatchObject({ source: 'request', code: 'SIGNATURE_MISSING', status: 401 })
    expect(first.hasMore).toBe(true)
    const rest = (await get<DeliveryPage>(`api/deliveries?before=${first.items.at(-1)?.id}`)).json
    expect([rest.hasMore, rest.items.map(({ resource }) => resource?.id)]).toEqual([
      false,
      ['order3', 'order2', 'order1', 'order0'],
    ])
    const count = async (query: string) => (await get<DeliveryPage>(`api/deliveries?${query}`)).json.items.length
    expect(await count('outcome=refused,ignored')).toBe(2)
    expect(await count('topic=orders.place&outcome=handled')).toBe(5)
    expect(await count('code=SIGNATURE_MISSING')).toBe(1)
    expect(await count(`since=${new Date(Date.now() + 60_000).toISOString()}`)).toBe(0)
    expect(await count('search=ORDER3&topic=')).toBe(1)
    for (const query of ['outcome=lost', 'since=yesterday', 'limit=0', 'number=2001', `search=${'x'.repeat(301)}`]) {
      expect([query, (await get(`api/deliveries?${query}`)).status]).toEqual([query, 400])
    }
  })

  it('have their details: stages, handlers, errors and headers', async () => {
    const { recorder, receiver } = createRecorded()
    receiver.on('orders.place', { name: 'erp' }, () => {
      throw new Error('The ERP has refused zoe@example.com of Ring twice')
    })
    await receiver.receive(PLACED)
    await receiver.receive(PLACED)
    const { get } = await startDashboard({ recorder })
    const { items } = (await get<DeliveryPage>('api/deliveries')).json
    const { json, text } = await get<DeliveryDetails>(`api/deliveries/${items[0]?.id}`)
    expect(json).toMatchObject({
      outcome: 'failed',
      topic: 'orders.place',
      status: 500,
      consecutiveFailures: 2,
      resource: { type: 'orders', id: 'NrlYhpzLKA', number: '2001' },
      error: { code: 'HANDLER_FAILED' },
      handlers: [{ name: 'erp', outcome: 'failed' }],
      method: 'POST',
      hasBody: true,
      isMasked: true,
      otherAttempts: [{ id: items[1]?.id }],
      canSendAgain: false,
      canRedeliver: false,
    })
    expect(json.stages.map(({ name }) => name)).toEqual(expect.arrayContaining(['admit', 'verify', 'parse', 'handle']))
    expect(text).not.toMatch(/zoe|Ring/)
    const body = await get(`api/deliveries/${json.id}/body`)
    expect(body.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(JSON.parse(body.text).data.attributes).toEqual({ ...ZOE, customer_email: '…', notes: '…' })
  })

  it.each([true, false])('are masked when they are shown, whatever the recorder keeps: redact %s', async (redact) => {
    const { recorder, receiver } = createRecorded({ redact: false })
    receiver.on('orders.place', () => {
      throw new Error('No mail to zoe@example.com')
    })
    await receiver.receive(withHeaders(PLACED, { 'x-forwarded-for': '203.0.113.7', 'x-note': 'of Zoe' }))
    const page = await startDashboard({ recorder, redact })
    const live = await watchLive(page.url)
    await receiver.receive(PLACED)
    await waitFor(() => expect(live.messages()).toMatchObject([{ type: 'deliveries' }]))
    const list = await page.get<DeliveryPage>('api/deliveries?search=zoe@example.com')
    expect(list.json.items).toHaveLength(2)
    const id = list.json.items[1]?.id
    const details = await page.get<DeliveryDetails>(`api/deliveries/${id}`)
    const body = await page.get(`api/deliveries/${id}/body`)
    expect(details.json.isMasked).toBe(redact)
    const shown = list.text + details.text + body.text + JSON.stringify(live.messages())
    for (const planted of ['zoe@example.com', 'Ring twice', '203.0.113.7', 'of Zoe']) {
      expect([planted, shown.includes(planted)]).toEqual([planted, !redact])
    }
  })

  it('that are hostile are text, and never of a type that a browser runs', async () => {
    const { recorder, receiver } = createRecorded({ redact: false })
    const hostile = '</script><script>alert(1)</script>\u202e javascript:alert(2)'
    await receiver.receive(delivery('orders.place', { data: order({ id: hostile, attributes: { number: hostile } }) }))
    await receiver.receive(delivery('orders.place', `<html><script>alert(1)</script>${'x'.repeat(1_000_000)}`))
    const { get } = await startDashboard({ recorder, redact: false })
    const { items } = (await get<DeliveryPage>('api/deliveries')).json
    expect(items).toMatchObject([{ code: 'DOCUMENT_INVALID' }, { resource: { id: hostile } }])
    for (const { id } of items) {
      const { headers } = await get(`api/deliveries/${id}/body`)
      expect(headers.get('content-type')).toBe('text/plain; charset=utf-8')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
    const masked = await startDashboard({ recorder })
    expect(await masked.get(`api/deliveries/${items[0]?.id}/body`)).toMatchObject({ status: 404 })
    expect((await masked.get<DeliveryDetails>(`api/deliveries/${items[0]?.id}`)).json.hasBody).toBe(false)
  })

  it.each(['nothing', '../setup', "' OR 1=1", '\u202e', '0'])('with the id %s are not there', async (id) => {
    const { recorder } = createRecorded()
    const page = await startDashboard({ recorder })
    for (const path of ['', '/body']) {
      const { status, json } = await page.get(`api/deliveries/${encodeURIComponent(id)}${path}`)
      expect([status, json]).toEqual([404, { error: 'There is no such delivery any more.' }])
    }
    expect((await page.post(`api/deliveries/${encodeURIComponent(id)}/redeliver`)).status).toBe(404)
    expect((await page.post(`api/deliveries/${encodeURIComponent(id)}/send-again`)).status).toBe(404)
  })
})

describe('send again', () => {
  it('sends the recorded bytes, signed anew by the emulator', async () => {
    const { emulator } = await startCommerceLayer()
    const endpoint = await startEndpoint()
    const { shared_secret } = emulator.subscribe('orders.place', endpoint.url)
    const recorder = createRecorder({ redact: false })
    const receiver = createReceiver({ secrets: { 'orders.place': shared_secret }, recorder, logger })
    const seen: string[] = []
    receiver.on('orders.place', ({ resource: { number } }) => void seen.push(String(number)))
    endpoint.serve(receiver)
    await emulator.trigger('orders.place', { number: '4711' })
    const page = await startDashboard({ recorder, emulator, redact: false })
    const { items } = (await page.get<DeliveryPage>('api/deliveries')).json
    const { id } = items[0] ?? {}
    expect((await page.get<DeliveryDetails>(`api/deliveries/${id}`)).json.canSendAgain).toBe(true)
    const { status, json } = await page.post<SentCalls>(`api/deliveries/${id}/send-again`)
    expect([status, json]).toEqual([200, { calls: [{ topic: 'orders.place', status: 200, reason: 'OK' }] }])
    expect(seen).toEqual(['4711', '4711'])
    const after = (await page.get<DeliveryDetails>(`api/deliveries/${id}`)).json
    expect(after.otherAttempts).toMatchObject([{ outcome: 'handled' }])
  })

  it('is refused in production, for what was masked, and for what is no document', async () => {
    const { recorder, receiver } = createRecorded()
    await receiver.receive(PLACED)
    const { emulator } = await startCommerceLayer()
    const { records } = await recorder.list()
    const path = `api/deliveries/${records[0]?.id}/send-again`
    expect((await (await startDashboard({ recorder })).post(path)).status).toBe(409)
    expect((await (await startDashboard({ recorder, emulator, redact: false })).post(path)).status).toBe(409)
    const whole = createRecorded({ redact: false })
    await whole.receiver.receive(delivery('orders.place', 'no JSON'))
    const [record] = (await whole.recorder.list()).records
    const page = await startDashboard({ recorder: whole.recorder, emulator })
    const { status, json } = await page.post(`api/deliveries/${record?.id}/send-again`)
    expect([status, json]).toMatchObject([400, { error: expect.stringContaining('must be JSON:API') }])
  })
})

describe('redeliver', () => {
  it('runs the handlers with the recorded document, and tells how it ended', async () => {
    const { recorder, receiver } = createRecorded({ redact: false })
    const ends: (() => void)[] = []
    receiver.on('orders.place', ({ resource: { customer_email } }) => {
      expect(customer_email).toBe('zoe@example.com')
      ends.shift()?.()
    })
    await receiver.receive(PLACED)
    const page = await startDashboard({ recorder, receiver })
    const [record] = (await recorder.list()).records
    const path = `api/deliveries/${record?.id}`
    expect((await page.get<DeliveryDetails>(path)).json.canRedeliver).toBe(true)
    expect((await page.post<Redelivered>(`${path}/redeliver`)).json).toEqual({ outcome: 'handled' })
    ends.push(() => {
      throw new Error('No place for zoe@example.com to Ring twice')
    })
    const failed = await page.post<Redelivered>(`${path}/redeliver`)
    expect([failed.status, failed.json]).toMatchObject([200, { outcome: 'failed', error: { code: 'HANDLER_FAILED' } }])
    expect(failed.text).not.toMatch(/zoe|Ring/)
    ends.push(() => {
      throw new PermanentError('Gone for good')
    })
    expect((await page.post<Redelivered>(`${path}/redeliver`)).json).toEqual({ outcome: 'discarded' })
  })

  it('takes the payload of Commerce Layer where the recorded document is masked', async () => {
    const { emulator, api } = await startCommerceLayer()
    const endpoint = await startEndpoint()
    const { shared_secret } = emulator.subscribe('orders.place', endpoint.url)
    const recorder = createRecorder({ logger })
    const receiver = createReceiver({ secrets: { 'orders.place': shared_secret }, recorder, logger })
    const seen: string[] = []
    receiver.on(
      'orders.place',
      ({ resource: { number, customer_email } }) => void seen.push(`${number} ${customer_email}`),
    )
    endpoint.serve(receiver)
    for (const number of ['1', '2', '3']) {
      await emulator.trigger('orders.place', { id: 'sameorder', number, customer_email: `zoe${number}@example.com` })
    }
    const page = await startDashboard({ recorder, receiver, management: api })
    const [, second] = (await recorder.list()).records
    expect((await page.get<DeliveryDetails>(`api/deliveries/${second?.id}`)).json.canRedeliver).toBe(true)
    const { json } = await page.post<Redelivered>(`api/deliveries/${second?.id}/redeliver`)
    expect(json).toEqual({ outcome: 'handled' })
    expect(seen).toEqual(['1 zoe1@example.com', '2 zoe2@example.com', '3 zoe3@example.com', '2 zoe2@example.com'])
  })

  it('never runs what was refused, and says so where the document was not kept', async () => {
    const { recorder, receiver } = createRecorded({ redact: false })
    const handler = vi.fn()
    receiver.on('orders.place', handler)
    await receiver.receive(delivery('orders.place', CART, 'another secret than the one'))
    const page = await startDashboard({ recorder, receiver })
    const [refused] = (await recorder.list()).records
    expect(refused?.outcome).toBe('refused')
    expect((await page.get<DeliveryDetails>(`api/deliveries/${refused?.id}`)).json.canRedeliver).toBe(false)
    expect((await page.post(`api/deliveries/${refused?.id}/redeliver`)).status).toBe(409)
    const masked = createRecorded()
    await masked.receiver.receive(PLACED)
    const [record] = (await masked.recorder.list()).records
    const other = await startDashboard({ recorder: masked.recorder, receiver })
    const { status, json } = await other.post(`api/deliveries/${record?.id}/redeliver`)
    expect([status, json]).toEqual([409, { error: 'This delivery cannot be redelivered: its document was not kept.' }])
    expect(handler).not.toHaveBeenCalled()
  })
})

describe('health', () => {
  it('counts by minute, and names the topics that fail in a row', async () => {
    vi.useFakeTimers({ toFake: ['Date'] }) // Otherwise a minute may end between the deliveries and the question.
    onTestFinished(() => void vi.useRealTimers())
    const { recorder, receiver } = createRecorded()
    receiver.on('orders.place', () => {
      throw new Error('down')
    })
    receiver.on('customers.create', () => {})
    for (let i = 0; i < 3; i++) await receiver.receive(delivery('orders.place', CART))
    await receiver.receive(delivery('customers.create', { data: order({ type: 'customers' }) }))
    await receiver.receive(withHeaders(PLACED, { 'x-commercelayer-signature': undefined }))
    const { get } = await startDashboard({ recorder })
    const { json } = await get<Health>('api/health?minutes=5')
    expect(json).toMatchObject({ spanMs: 60_000, missed: 0, records: 5 })
    expect(json.spans).toHaveLength(5)
    const { outcomes, codes, p50, p99 } = json.spans.at(-1) ?? {}
    expect(outcomes).toEqual({ failed: 3, handled: 1, refused: 1 })
    expect(codes).toEqual({ HANDLER_FAILED: 3, SIGNATURE_MISSING: 1 })
    expect(Number(p99)).toBeGreaterThanOrEqual(Number(p50))
    expect(json.streaks).toEqual([{ topic: 'orders.place', failures: 3, failuresLeft: 27 }])
    const day = (await get<Health>('api/health?minutes=1440')).json
    expect([day.spanMs, day.spans.length]).toEqual([24 * 60_000, 60])
    for (const minutes of ['0', '1441', 'all']) expect((await get(`api/health?minutes=${minutes}`)).status).toBe(400)
  })
})
