import { createServer } from 'node:http'
import { connect } from 'node:net'
import express from 'express'
import { PermanentError } from 'hooklayer'
import { createExpressMiddleware } from 'hooklayer/express'
import { createRecorder, type DeliveryRecord } from 'hooklayer/recorder'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { bytes, CART, delivery, idOf, OTHER_SECRET, SECRET, signed, withHeaders } from '../deliveries.ts'
import { createShop, PLACES, placed } from './places.ts'

const eventually = (check: () => unknown) => vi.waitFor(check, 10_000)
const numbersOf = (records: readonly DeliveryRecord[]) => records.map(({ resource }) => resource?.number)

describe.each(PLACES)('a recorder $place', ({ options }) => {
  it('lists what was recorded, the newest first, page by page', async () => {
    const { recorder, receiver } = createShop(options())
    for (const number of ['1', '2', '3', '4', '5']) await receiver.receive(placed(number))
    const first = await recorder.list({ limit: 2 })
    expect(numbersOf(first.records)).toEqual(['5', '4'])
    expect(first.hasMore).toBe(true)
    const second = await recorder.list({ limit: 2, before: first.records.at(-1)?.id })
    expect(numbersOf(second.records)).toEqual(['3', '2'])
    const last = await recorder.list({ limit: 2, before: second.records.at(-1)?.id })
    expect(last).toMatchObject({ records: [{ resource: { number: '1' } }], hasMore: false })
    const ids = [...first.records, ...second.records, ...last.records].map(({ id }) => id)
    expect(ids).toEqual(ids.toSorted().reverse())
  })

  it('gives one record with its stages, handlers and headers, and without what lets somebody in', async () => {
    const { recorder, receiver } = createShop(options(), { deadlineMs: 500 })
    receiver.on('orders.place', { name: 'erp' }, () => {})
    receiver.on('orders.place', { name: 'crm' }, () => {
      throw new PermanentError('The order has no customer.')
    })
    receiver.on('orders.place', { name: 'slow' }, () => new Promise((resolve) => setTimeout(resolve, 900)))
    const request = delivery('orders.place', CART)
    await receiver.receive(withHeaders(request, { authorization: 'Basic c2VjcmV0', Cookie: 'sid=c2VjcmV0' }))
    await receiver.close()
    const { records } = await recorder.list()
    expect(records).toHaveLength(1)
    const details = await recorder.get(String(records[0]?.id))
    expect(details).toMatchObject({
      ...records[0],
      source: 'request',
      topic: 'orders.place',
      deliveryId: idOf('orders.place', request.body),
      eventId: expect.stringMatching(/^[0-9a-f]{64}$/),
      resource: { type: 'orders', id: 'NrlYhpzLKA', number: '2001' },
      organizationId: 'wRPpEFOElR',
      mode: 'test',
      outcome: 'failed',
      error: { code: 'DEADLINE_EXCEEDED', message: expect.any(String) },
      status: 503,
      bodyBytes: request.body.length,
      consecutiveFailures: 1,
      method: 'POST',
      isMasked: true,
      handlers: [
        { name: 'erp', outcome: 'handled' },
        { name: 'crm', outcome: 'discarded', error: 'The order has no customer.' },
        { name: 'slow', outcome: 'running' },
      ],
    })
    expect(Object.fromEntries(details?.headers ?? [])).toEqual({
      'content-type': 'application/json',
      'x-commercelayer-topic': 'orders.place',
      'x-commercelayer-signature': `${signed(request.body).slice(0, 8)}…`,
    })
    const stages = details?.stages ?? []
    expect(stages.map(({ name }) => name)).toEqual(['admit', 'secrets', 'read', 'verify', 'parse', 'handle'])
    expect(stages.at(-1)?.durationMs).toBeGreaterThan(20)
    const sum = stages.reduce((all, { durationMs }) => all + durationMs, 0)
    expect(Math.abs(sum - Number(details?.durationMs))).toBeLessThan(100)
    expect(await recorder.get('000000000999')).toBeUndefined()
    expect(await recorder.get('x')).toBeUndefined()
  })

  it('is filtered by topic, outcome, code, source, time and delivery', async () => {
    const { recorder, receiver } = createShop(options())
    receiver.on('orders.place', () => {})
    receiver.on('orders.cancel', () => {
      throw new Error('down')
    })
    await receiver.receive(placed('1'))
    await receiver.receive(delivery('orders.cancel', CART))
    await receiver.receive(delivery('orders.approve', CART))
    await receiver.redeliver('orders.place', CART)
    await receiver.receive({ ...placed('2'), method: 'PUT' })
    const count = async (query: Parameters<typeof recorder.list>[0]) => (await recorder.list(query)).records.length
    expect(await count({})).toBe(5)
    expect(await count({ topic: 'orders.cancel' })).toBe(1)
    expect(await count({ outcome: 'handled' })).toBe(2)
    expect(await count({ outcome: ['ignored', 'failed'] })).toBe(2)
    expect(await count({ code: 'METHOD_NOT_ALLOWED', outcome: undefined })).toBe(1)
    expect(await count({ source: 'redelivery' })).toBe(1)
    expect(await count({ since: new Date(Date.now() + 1000) })).toBe(0)
    expect(await count({ until: new Date(Date.now() + 1000), since: new Date(0) })).toBe(5)
    expect(await count({ deliveryId: idOf('orders.place', placed('1').body) })).toBe(1)
    expect(await count({ topic: 'orders.place', outcome: 'failed' })).toBe(0)
  })

  it('refuses a query with an unknown member, or a value of another type', async () => {
    const { recorder } = createShop(options())
    const list = (query: object) => recorder.list(query)
    await expect(list({ topics: 'orders.place' })).rejects.toThrow('Did you mean `topic`?')
    await expect(list({ limit: 501 })).rejects.toThrow('`limit` must be a whole number from 1 to 500')
    await expect(list({ outcome: 'lost' })).rejects.toThrow('`outcome` must be')
    await expect(list({ since: '2026-01-01' })).rejects.toThrow('`since` must be a date')
    await expect(list({ before: '7' })).rejects.toThrow('`before` must be the id of a record')
    const since = new Date(0)
    await expect(recorder.statistics({ since, spanMs: 1000 })).rejects.toThrow('at most 10000 spans')
    await expect(recorder.statistics({ since: new Date('x'), spanMs: 1 })).rejects.toThrow('`since` must be a date')
    await expect(recorder.erase({ type: 'orders' } as never)).rejects.toThrow(TypeError)
  })

  it('is searched by number, email and id, also of included resources, in upper and lower case', async () => {
    const { recorder, receiver } = createShop(options())
    const customer = { id: 'OeRyhjDlje', type: 'customers', attributes: { email: 'Ada.Lovelace+1@Example.com' } }
    await receiver.receive(placed('1054', { attributes: { customer_email: 'zoë@example.com' } }, [customer]))
    await receiver.receive(placed('10540'))
    await receiver.receive(placed('AB-77'))
    const search = async (text: string) => numbersOf((await recorder.list({ search: text })).records)
    expect(await search('1054')).toEqual(['1054'])
    expect(await search(' 1054 ')).toEqual(['1054'])
    expect(await search('ab-77')).toEqual(['AB-77'])
    expect(await search('ada.lovelace+1@example.COM')).toEqual(['1054'])
    expect(await search('ZOË@example.com')).toEqual(['1054'])
    expect(await search('oerYHJdlje')).toEqual(['1054'])
    expect(await search('order10540')).toEqual(['10540'])
    expect(await search('105')).toEqual([])
    expect(await search('customers')).toEqual([])
    expect(await search('%')).toEqual([])
    const [record] = (await recorder.list({ search: '1054' })).records
    const { eventId } = (await recorder.get(String(record?.id))) ?? {}
    expect(await search(String(record?.deliveryId))).toEqual(['1054'])
    expect(await search(String(eventId))).toEqual(['1054'])
    expect(await search('')).toHaveLength(3)
  })

  it('counts outcomes, codes and the times of handlers by spans of time', async () => {
    const { recorder, receiver } = createShop(options())
    receiver.on('orders.place', () => new Promise((resolve) => setTimeout(resolve, 5)))
    await receiver.receive(placed('1'))
    await receiver.receive(placed('2'))
    await receiver.receive({ ...placed('2'), method: 'PUT' })
    const since = new Date(Date.now() - 90_000)
    const { spans, missed, records } = await recorder.statistics({ since, spanMs: 60_000 })
    expect({ missed, records }).toEqual({ missed: 0, records: 3 })
    expect(spans).toEqual([
      { startedAt: since, outcomes: {}, codes: {}, p50: undefined, p99: undefined },
      {
        startedAt: new Date(since.getTime() + 60_000),
        outcomes: { handled: 2, refused: 1 },
        codes: { METHOD_NOT_ALLOWED: 1 },
        p50: expect.any(Number),
        p99: expect.any(Number),
      },
    ])
    expect(spans[1]?.p50).toBeGreaterThan(3)
  })

  it('tells listeners of new records, in order, until they leave', async () => {
    const { recorder, receiver } = createShop(options())
    await receiver.receive(placed('0'))
    await recorder.list()
    const told: DeliveryRecord[] = []
    recorder.subscribe(() => {
      throw new Error('closed')
    })
    const leave = recorder.subscribe((records) => told.push(...records))
    for (const number of ['1', '2', '3']) await receiver.receive(placed(number))
    await eventually(() => expect(numbersOf(told)).toEqual(['1', '2', '3']))
    expect(told).toEqual((await recorder.list({ limit: 3 })).records.toReversed())
    leave()
    await receiver.receive(placed('4'))
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(told).toHaveLength(3)
  })

  it('keeps the last `max` records', async () => {
    const { recorder, receiver } = createShop({ ...options(), max: 5 })
    for (let i = 1; i <= 12; i++) await receiver.receive(placed(String(i)))
    const { records, hasMore } = await recorder.list()
    expect(numbersOf(records)).toEqual(['12', '11', '10', '9', '8'])
    expect(hasMore).toBe(false)
    const before = records[2]?.id
    expect(numbersOf((await recorder.list({ before })).records)).toEqual(['9', '8'])
  })

  it('keeps genuine deliveries, however many requests are refused', async () => {
    const { recorder, receiver } = createShop({ ...options(), max: 20, maxBytes: 100_000 })
    for (const number of ['1', '2', '3']) await receiver.receive(placed(number))
    for (let i = 0; i < 200; i++) {
      await receiver.receive(withHeaders(placed('9'), { 'x-commercelayer-signature': undefined }))
      await receiver.receive({ ...placed('9', { attributes: { note: 'x'.repeat(9000) } }), method: 'PUT' })
    }
    const genuine = await recorder.list({ outcome: 'ignored' })
    expect(numbersOf(genuine.records)).toEqual(['3', '2', '1'])
    expect(await recorder.get(String(genuine.records[2]?.id))).toMatchObject({ body: expect.any(Uint8Array) })
    expect((await recorder.list({ outcome: 'refused' })).records).toHaveLength(2)
    expect((await recorder.statistics({ since: new Date(), spanMs: 60_000 })).records).toBe(5)
  })

  it('drops the oldest bodies above `maxBytes`, and keeps their records', async () => {
    const { recorder, receiver } = createShop({ ...options(), maxBytes: 30_000 })
    const note = () => Array.from({ length: 500 }, () => Math.floor(Math.random() * 1e9))
    for (let i = 1; i <= 60; i++) {
      // In a file the masked body counts: ids and times are not masked.
      const items = Array.from({ length: 40 }, (_, at) => ({
        id: `i${i}x${at}x${Math.random().toString(36).slice(2)}`,
        type: 'line_items',
        attributes: { quantity: Math.random() },
      }))
      await receiver.receive(placed(String(i), { attributes: { note: note() } }, items))
    }
    const { records } = await recorder.list({ limit: 100 })
    expect(records).toHaveLength(60)
    expect(numbersOf(records)).toContain('1')
    const bodies = await Promise.all(records.map(async ({ id }) => (await recorder.get(id))?.body?.byteLength ?? 0))
    expect(bodies[0]).toBeGreaterThan(0)
    expect(bodies.at(-1)).toBe(0)
    const dropped = bodies.indexOf(0)
    expect(bodies.slice(dropped).every((size) => size === 0)).toBe(true)
    expect(numbersOf((await recorder.list({ search: '1' })).records)).toEqual(['1'])
    expect(records.at(-1)?.bodyBytes).toBeGreaterThan(1000)
  })

  it('erases what carries a resource, as its own or as an included one', async () => {
    const { recorder, receiver } = createShop(options())
    const customer = { id: 'OeRyhjDlje', type: 'customers', attributes: {} }
    await receiver.receive(placed('1', {}, [customer]))
    await receiver.receive(placed('2'))
    await receiver.receive(delivery('customers.create', { data: customer }))
    await receiver.receive(placed('3'))
    expect(await recorder.erase({ type: 'customers', id: 'oeryhjdlje' })).toBe(0)
    expect(await recorder.erase({ type: 'orders', id: 'OeRyhjDlje' })).toBe(0)
    expect(await recorder.erase({ type: 'customers', id: 'OeRyhjDlje' })).toBe(2)
    const { records } = await recorder.list()
    expect(numbersOf(records)).toEqual(['3', '2'])
    expect(numbersOf((await recorder.list({ before: records[0]?.id })).records)).toEqual(['2'])
    expect(await recorder.get(String(records[1]?.id))).toMatchObject({ resource: { number: '2' } })
    expect((await recorder.statistics({ since: new Date(), spanMs: 60_000 })).records).toBe(2)
    await receiver.receive(placed('4'))
    expect(numbersOf((await recorder.list()).records)).toEqual(['4', '3', '2'])
  })

  it('takes a record that no receiver has made', async () => {
    const { recorder } = createShop(options())
    const receivedAt = new Date('2026-05-01T10:00:00Z')
    recorder.add({ receivedAt, source: 'sender', outcome: 'failed', topic: 'orders.place', status: 404, durationMs: 7 })
    const { records } = await recorder.list()
    expect(records).toMatchObject([
      { receivedAt, source: 'sender', outcome: 'failed', topic: 'orders.place', status: 404, durationMs: 7 },
    ])
    expect(await recorder.get(String(records[0]?.id))).toMatchObject({ headers: [], stages: [], handlers: [] })
  })

  it('names each of nine causes of a refusal', async () => {
    const { recorder, receiver } = createShop(options(), {
      secrets: { 'orders.place': SECRET, 'orders.cancel': OTHER_SECRET },
      maxBodyBytes: 5000,
      bodyTimeoutMs: 50,
    })
    receiver.on(['orders.place', 'orders.cancel'], () => {})
    const body = '{"data":{"id":"NrlYhpzLKA","type":"orders","attributes":{"total_amount_float":20.0}}}'
    const good = delivery('orders.place', body)
    const nextSecond = () => new Promise((resolve) => setTimeout(resolve, 1050))
    await receiver.receive({ ...good, method: 'PUT' })
    await receiver.receive(withHeaders(good, { 'content-encoding': 'gzip' }))
    await receiver.receive({ ...good, body: bytes('x'.repeat(6000)) })
    await receiver.receive({ ...good, body: { data: {} } as never })
    await receiver.receive(withHeaders(good, { 'x-commercelayer-signature': undefined }))
    await receiver.receive({ ...good, body: bytes(JSON.stringify(JSON.parse(body))) })
    await receiver.receive(withHeaders(good, { 'x-commercelayer-topic': 'orders.approve' }))
    await receiver.receive(withHeaders(good, { 'x-commercelayer-topic': 'ORDERS' }))
    await receiver.receive({ ...good, body: () => new Promise(() => {}) })
    await nextSecond() // One mismatch a second is examined.
    await receiver.receive(withHeaders(good, { 'x-commercelayer-topic': 'orders.cancel' }))
    await eventually(async () => expect((await recorder.list()).records).toHaveLength(10))
    const { records } = await recorder.list()
    const codes = records.toReversed().map(({ error, status }) => `${status} ${error?.code}`)
    expect(codes.toSorted()).toEqual(
      [
        '405 METHOD_NOT_ALLOWED',
        '415 ENCODING_UNSUPPORTED',
        '413 BODY_TOO_LARGE',
        '500 BODY_ALREADY_PARSED',
        '401 SIGNATURE_MISSING',
        '401 SIGNATURE_MISMATCH',
        '401 SECRET_UNKNOWN',
        '400 TOPIC_INVALID',
        '408 BODY_TIMEOUT',
        '401 SIGNATURE_MISMATCH',
      ].toSorted(),
    )
    const hints = records.flatMap(({ error }) => error?.hint ?? [])
    expect(hints).toContainEqual(expect.stringMatching(/neither bytes nor text, but of type Object/))
    expect(hints).toContainEqual(expect.stringMatching(/secret of another topic/))
    const rewritten = records.find(({ error }) => /serialized again/.test(error?.hint ?? ''))
    const { difference } = (await recorder.get(String(rewritten?.id))) ?? {}
    expect(difference?.offset).toBe(body.indexOf('20.0') + 2)
    expect(difference?.received).toContain('"total_amount_float":20}')
    expect(difference?.signed).toContain('"total_amount_float":20.0}')
    expect(records.every(({ deliveryId, resource }) => deliveryId === undefined && resource === undefined)).toBe(true)
  })

  it('names a body that a parser has taken, and one that stalls, over HTTP', async () => {
    const { recorder, receiver } = createShop(options(), { bodyTimeoutMs: 100 })
    const app = express()
    app.post('/parsed', express.json(), createExpressMiddleware(receiver))
    app.post('/webhooks', createExpressMiddleware(receiver))
    const server = createServer(app).listen(0, '127.0.0.1')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const { headers, body } = delivery('orders.place', CART)
    await fetch(`http://127.0.0.1:${port}/parsed`, { method: 'POST', headers, body })
    const socket = connect(port, '127.0.0.1')
    const lines = Object.entries({ host: 'x', 'content-length': '100', ...headers }).map((pair) => pair.join(': '))
    socket.write(`POST /webhooks HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n{"data`)
    await eventually(async () => expect((await recorder.list()).records).toHaveLength(2))
    socket.destroy()
    const { records } = await recorder.list()
    expect(records.map(({ error }) => error?.code)).toEqual(['BODY_TIMEOUT', 'BODY_ALREADY_PARSED'])
  })

  it('tells that handlers ran in the background', async () => {
    const { recorder, receiver } = createShop(options())
    receiver.on('orders.place', () => {})
    const works: Promise<unknown>[] = []
    await receiver.receive(placed('1'), { background: (work) => works.push(work) })
    await Promise.all(works)
    expect((await recorder.list()).records).toMatchObject([{ outcome: 'handled', status: 202 }])
  })
})

describe('in memory', () => {
  it('a body is given as it was received, to whom asks for that', async () => {
    const { recorder, receiver } = createShop({ redact: false })
    const request = placed('1', { attributes: { customer_email: 'zoe@example.com' } })
    receiver.on('orders.place', () => {
      throw new Error('No mail for zoe@example.com')
    })
    await receiver.receive(request)
    const { records } = await recorder.list()
    const details = await recorder.get(String(records[0]?.id))
    expect(details?.error?.cause).toBe('No mail for zoe@example.com')
    expect(details?.isMasked).toBe(false)
    expect(Buffer.from(details?.body ?? [])).toEqual(Buffer.from(request.body))
    details?.body?.fill(0)
    expect(Buffer.from((await recorder.get(String(records[0]?.id)))?.body ?? [])).toEqual(Buffer.from(request.body))
  })

  it('what a failed delivery was about is known when its body was dropped', async () => {
    const { recorder, receiver } = createShop({ maxBytes: 2000 })
    receiver.on('orders.place', ({ rawBody }) => {
      if (Buffer.from(rawBody).includes('fails')) throw new Error('down')
    })
    const failing = delivery('orders.place', {
      data: { type: 'orders', attributes: { number: '7', x: 'fails' }, id: 'a' },
    })
    await receiver.receive(failing)
    for (let i = 0; i < 30; i++) await receiver.receive(placed(`1${i}`))
    const found = await recorder.list({ search: '7' })
    expect(found.records).toMatchObject([{ resource: { id: 'a' }, deliveryId: idOf('orders.place', failing.body) }])
    expect((await recorder.list({ search: '10' })).records).toMatchObject([{ deliveryId: undefined }])
  })

  it('no other bytes are kept with those of a body', async () => {
    const recorder = createRecorder({ redact: false })
    const slab = new Uint8Array(64 * 1024)
    const body = slab.subarray(100, 200)
    recorder.record({
      ...{ source: 'request', request: undefined, topic: undefined, outcome: 'ignored', error: undefined, body },
      ...{ startedAt: performance.now(), durationMs: 1, consecutiveFailures: 0 },
    })
    slab.fill(1)
    const { records } = await recorder.list()
    expect(await recorder.get(String(records[0]?.id))).toMatchObject({ body: new Uint8Array(100) })
  })
})

describe('createRecorder', () => {
  it.each([
    [{ max: 0 }, '`max` must be a whole number over 0'],
    [{ maxBytes: 1.5 }, '`maxBytes` must be a whole number over 0'],
    [{ file: '' }, '`file` must be the path of a file'],
    [{ file: ':memory:' }, '`file` must be the path of a file'],
    [{ redact: 'no' }, '`redact` must be true, false or { allow: [names] }'],
    [{ redact: { allow: ['Sku Code'] } }, '`redact` must be'],
    [{ redact: { allow: [], deny: [] } }, '`redact` must be'],
    [{ file: 'a.db', redact: false }, '`redact` cannot be false with a `file`: what is written there is always masked'],
    [{ file: 'a.db', key: 'short' }, '`key` must be text of 16 characters or more'],
    [{ key: 'a key of enough length' }, '`key` needs a `file`'],
    [{ maxx: 1 }, 'Did you mean `max`?'],
    [{ logger: {} }, '`logger` has no method `warn`'],
  ])('refuses %j', (options, message) => {
    expect(() => createRecorder(options as never)).toThrow(message)
  })
})
