import { statSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { findDifference } from '../../src/recorder/difference.ts'
import { prepare } from '../../src/sqlite/database.ts'
import { bytes, delivery, order, type SignedRequest } from '../deliveries.ts'
import { connect } from '../sqlite/folder.ts'
import { createPath, createShop, PLACES, placed } from './places.ts'

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

/** A request as a stranger sends it: with headers of a genuine one, and a body of any kind. */
function forge(body: string): SignedRequest {
  return { ...placed('1'), body: bytes(body) }
}

describe.each(PLACES)('a recorder $place', ({ options }) => {
  it.each([
    ['its data', `{"data":${nested(100_000)}}`],
    ['its included resources', `{"data":null,"included":${nested(100_000)}}`],
    ['a relationship', `{"data":{"id":"a","type":"orders","relationships":{"a":{"data":${nested(100_000)}}}}}`],
    ['nothing else', nested(100_000)],
  ])('loses no record to a forgery that is nested deeply in %s', async (_, body) => {
    const { recorder, receiver } = createShop(options())
    await receiver.receive(placed('77'))
    expect((await receiver.receive(forge(body))).status).toBe(401)
    await receiver.receive(placed('78'))
    await receiver.close() // The reason of a refusal is found after its answer.
    const { records } = await recorder.list()
    expect(records.map(({ outcome }) => outcome).sort()).toEqual(['ignored', 'ignored', 'refused'])
    for (const { id } of records) expect(await recorder.get(id)).toMatchObject({ id })
    expect(await recorder.statistics({ since: new Date(), spanMs: 1000 })).toMatchObject({ missed: 0, records: 3 })
  })

  it('is not stopped by a genuine document that is nested deeply, whose handler throws', async () => {
    const { recorder, receiver } = createShop(options())
    receiver.on('orders.place', () => {
      throw new Error('No')
    })
    const told: unknown[] = []
    recorder.subscribe((records) => told.push(...records))
    const document = JSON.stringify({ data: order({ attributes: { number: '9', metadata: { deep: 'here' } } }) })
    await receiver.receive(delivery('orders.place', document.replace('"here"', nested(60_000))))
    // An error in the timer that tells listeners would end the process.
    await expect.poll(() => told, { timeout: 5000 }).toHaveLength(1)
    const [record] = (await recorder.list()).records
    expect(record).toMatchObject({ outcome: 'failed', error: { cause: 'No' } })
    expect(await recorder.get(String(record?.id))).toMatchObject({ isMasked: true, body: expect.any(Uint8Array) })
  })

  it('shows no number that has not the form of one', async () => {
    const { recorder } = createShop(options())
    const resource = { type: 'orders', id: 'a', number: 'zoe@example.com' }
    recorder.add({ receivedAt: new Date(), source: 'sender', outcome: 'handled', resource })
    expect((await recorder.list()).records).toMatchObject([{ resource: { type: 'orders', id: 'a' } }])
    expect(JSON.stringify(await recorder.list())).not.toContain('zoe')
  })

  it('shows no number of `metadata` in the bytes that differ', async () => {
    const { recorder, receiver } = createShop(options())
    const metadata = { pin: 4711, quantity: 4712, a: [4713] }
    const request = delivery('orders.place', { data: order({ attributes: { metadata, total_amount_cents: 1200 } }) })
    const body = Buffer.from(request.body).toString().replace('"metadata":', '"metadata": ')
    await receiver.receive({ ...request, body: bytes(body) })
    await receiver.close()
    const [record] = (await recorder.list()).records
    const { difference } = (await recorder.get(String(record?.id))) ?? {}
    expect(difference?.signed).toContain('"metadata":{"xxx":xxxx,')
    expect(difference?.received).toContain('"total_amount_cents":1200')
    expect(JSON.stringify(difference)).not.toMatch(/471\d/)
  })
})

describe('a file of records', () => {
  it('misses no genuine delivery while strangers send any number', async () => {
    const file = createPath()
    const { recorder } = createShop({ file })
    const body = bytes(`{"data":[${'{"id":"a","type":"b"},'.repeat(3000)}null]}`)
    const record = (outcome: 'refused' | 'handled') =>
      recorder.record({
        ...{ source: 'request', request: undefined, topic: undefined, outcome, error: undefined, body },
        ...{ startedAt: performance.now(), durationMs: 1, consecutiveFailures: 0 },
      })
    // Without a pause: nothing can be written meanwhile.
    for (let i = 0; i < 5000; i++) record('refused')
    for (let i = 0; i < 10; i++) record('handled')
    expect((await recorder.list({ outcome: 'handled' })).records).toHaveLength(10)
    const { missed, records } = await recorder.statistics({ since: new Date(), spanMs: 1000 })
    expect(missed + records).toBe(5010)
    expect(records).toBeLessThan(1000)
    await recorder.close()
    expect(statSync(file).size).toBeLessThan(8 * 1024 * 1024)
  })

  it('keeps no document of a stranger that could be found by thousands of ids', async () => {
    const file = createPath()
    const { recorder, receiver } = createShop({ file })
    const resources = Array.from({ length: 5000 }, (_, i) => `{"id":"forged${i}","type":"orders"}`)
    const body = `{"data":[${resources}]}`
    await receiver.receive(forge(body))
    await receiver.receive(forge('{"data":{"id":"forged7","type":"orders"}}'))
    await receiver.receive(forge(`"${'x'.repeat(300 * 1024)}"`))
    await receiver.close()
    const { records } = await recorder.list({ search: 'forged7' })
    expect(records).toMatchObject([{ outcome: 'refused' }])
    const lengths = (await recorder.list()).records.map(({ bodyBytes }) => bodyBytes)
    expect(lengths).toEqual([300 * 1024 + 2, 41, body.length])
    await recorder.close()
    const rows = prepare(connect(file), 'SELECT max(length(terms)) AS most FROM hooklayer_record_details').get()
    expect(Number((rows as { most: number }).most)).toBeLessThan(16 * 1024)
  })

  it.each(['', 'short'])('is not used with a key file that holds %j', async (key) => {
    const file = createPath()
    writeFileSync(`${file}.key`, key)
    const { recorder, messages } = createShop({ file })
    await expect(recorder.list()).rejects.toThrow('has less than 16 characters')
    expect(messages()).toHaveLength(1)
  })
})

it.each([
  ['one long text', `"${'x'.repeat(500_000)}"`],
  ['many fields', `[${'{"a_float":1.5},'.repeat(32_000)}{}]`],
  ['escapes', `"${'\\\\'.repeat(120_000)}\\""`],
])('the bytes that differ in a body of half a megabyte take no time to be found: %s', (_, value) => {
  const [one, other] = [`{"a":${value},"b_float":1.0}`, `{"a":${value},"b_float":1}`].map(bytes)
  const times = Array.from({ length: 7 }, () => {
    const start = process.cpuUsage() // Of this process alone: others may take its processor meanwhile.
    const { masked } = findDifference(one ?? bytes(''), other ?? bytes('')) ?? {}
    const { user, system } = process.cpuUsage(start)
    expect(masked?.received).toMatch(/"b_float":1\.0\}$/)
    return (user + system) / 1000
  })
  expect(Math.min(...times)).toBeLessThan(40)
})
