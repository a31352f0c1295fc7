import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { PermanentError } from 'hooklayer'
import { maskDocument } from 'hooklayer/recorder'
import { describe, expect, it, vi } from 'vitest'
import { bytes, delivery, OTHER_SECRET, type TestResource, withHeaders } from '../deliveries.ts'
import { createPath, createShop, PLACES } from './places.ts'

const ORDERS = 1000

/** Everything personal that is planted; each order has its own. */
function plant(i: number) {
  return {
    name: `Zoë Quibbleworth${i}`,
    email: `zoe.quib${i}@plantedmail.test`,
    phone: `+39 347 555${String(i).padStart(4, '0')}`,
    street: `Plantedstreet ${i}`,
    city: `Plantedcity${i}`,
    token: `tok_planted${i}Aa9Bb8Cc7Dd6Ee5`,
    note: `Please ring at plantednote${i}`,
    secret: `plantedmeta${i}`,
    key: `plantedkey${i}`,
  }
}

function plantedOrder(i: number): { data: TestResource; included: TestResource[] } {
  const { name, email, phone, street, city, token, note, secret, key } = plant(i)
  const [firstName, lastName] = name.split(' ')
  const address = {
    id: `addr${i}`,
    type: 'addresses',
    attributes: {
      ...{ first_name: firstName, last_name: lastName, full_name: name, company: `Plantedcompany${i}` },
      ...{ line_1: street, line_2: `Plantedfloor${i}`, city, zip_code: `PLZ${i}77`, state_code: `PS${i}`, phone },
      ...{ email, notes: note, lat: 45.1234567 + i, lng: 9.7654321, billing_info: `PLVAT${i}`, country_code: 'IT' },
      ...{ metadata: { secret, nested: [{ [key]: { email } }] } },
    },
  }
  return {
    data: {
      id: `ord${i}`,
      type: 'orders',
      attributes: {
        ...{ number: String(50_000 + i), status: 'placed', currency_code: 'EUR', total_amount_cents: 1200 + i },
        ...{ customer_email: email, token, note, placed_at: '2026-05-01T10:00:00Z', quantity: name },
        ...{
          formatted_total_amount: `plantedformat${i}`,
          ip_address: `10.7.${i % 256}.77`,
          reference: `plantedref${i}`,
        },
        ...{
          cart_url: `https://shop.test/cart?token=${token}`,
          status_note: name,
          updated_at: email,
          payment_status: note,
        },
        ...{ metadata: { secret, [key]: phone, list: [email, name] }, [`Bad Name ${secret}`]: 1 },
      },
      relationships: {
        customer: { data: { type: 'customers', id: `cust${i}` }, links: { self: `https://x.test/${token}` } },
        billing_address: { data: { type: 'addresses', id: `addr${i}` } },
        odd: { data: { type: email, id: email }, meta: { secret } },
      },
      meta: { mode: 'test', organization_id: 'wRPpEFOElR', secret, owner: email } as never,
      links: { self: `https://x.test/?email=${email}` },
    } as TestResource,
    included: [
      address,
      { id: `cust${i}`, type: 'customers', attributes: { email, reference: `plantedref${i}`, status: name } },
      {
        id: `src${i}`,
        type: 'stripe_payments',
        attributes: { client_secret: token, options: { token, name }, number: token },
      },
      { id: `card${i}`, type: 'credit_cards', attributes: { number: `424242424242${1000 + i}`, name } },
    ] as TestResource[],
  }
}

/** Each is a part of something that is planted. None is part of anything else. */
const PLANTED =
  /quibbleworth|zoe\.quib|zoë|planted|347 ?555|tok_|PLZ\d|PLVAT|10\.7\.|42424242|c2VjcmV0|45\.1234|bad name|ring at/i

describe.each(PLACES)('a recorder $place', ({ options }) => {
  it('gives nothing that is personal of a thousand orders, their errors and their headers', async () => {
    const given = options()
    const { recorder, receiver } = createShop({ ...given, max: 2000 })
    const told: unknown[] = []
    recorder.subscribe((records) => told.push(records))
    receiver.on('orders.place', { name: 'erp' }, ({ resource: order }) => {
      const address = order.billing_address as { full_name?: string; phone?: string; city?: string; line_1?: string }
      const { full_name: name, phone, city, line_1: street } = address
      const text = `No mail for ${name} (${order.customer_email}), ${street} in "${city}", call ${phone}: ${order.token}.`
      if (Number(order.number) % 3 === 0) throw new Error(text)
      if (Number(order.number) % 3 === 1)
        throw new PermanentError(`${(order as { note?: string }).note}! ${order.metadata?.secret} ${name}`)
    })
    for (let i = 0; i < ORDERS; i++) {
      const { email, token, name } = plant(i)
      const request = withHeaders(delivery('orders.place', plantedOrder(i)), {
        ...{ authorization: `Bearer ${token}`, cookie: `sid=${token}`, 'x-forwarded-for': `10.7.${i % 256}.77` },
        ...{ 'x-customer': email, 'user-agent': name.replace('ë', 'e'), traceparent: token, accept: email },
      })
      await receiver.receive(request)
      if (i % 100 !== 0) continue
      const text = Buffer.from(request.body).toString()
      await receiver.receive({ ...request, body: bytes(JSON.stringify(JSON.parse(text), null, 1)) })
      await receiver.receive(delivery('orders.place', plantedOrder(i), OTHER_SECRET))
      await receiver.receive({ ...request, method: email })
      await receiver.receive({ ...request, body: bytes(`${email} is no JSON "${name}`) })
      await receiver.receive({ ...request, body: bytes(JSON.stringify([{ name }])) })
    }
    await new Promise((resolve) => setTimeout(resolve, 1200))
    const rewritten = delivery('orders.place', plantedOrder(7))
    const changed = Buffer.from(rewritten.body).toString().replace(/\}$/, '} ')
    await receiver.receive({ ...rewritten, body: bytes(changed) })
    await receiver.close()

    await vi.waitFor(async () => {
      const { records, missed } = await recorder.statistics({ since: new Date(), spanMs: 60_000 })
      expect({ records, missed }).toEqual({ records: ORDERS + 51, missed: 0 })
    }, 60_000)
    const seen: string[] = []
    let before: string | undefined
    for (;;) {
      const { records, hasMore } = await recorder.list({ limit: 500, before })
      seen.push(JSON.stringify(records))
      for (const { id } of records) {
        const { body, ...details } = (await recorder.get(id)) ?? {}
        seen.push(JSON.stringify(details), Buffer.from(body ?? []).toString())
      }
      before = records.at(-1)?.id
      if (!hasMore) break
    }
    seen.push(JSON.stringify(told), JSON.stringify(await recorder.statistics({ since: new Date(), spanMs: 60_000 })))
    expect(seen.length).toBeGreaterThan(2 * ORDERS)
    for (const text of seen) expect(PLANTED.exec(text)?.[0]).toBeUndefined()

    // What may be seen is there: the test would not notice if nothing were.
    const all = seen.join('\n')
    for (const shown of ['"50007"', '"ord999"', '"total_amount_cents":1203', 'No mail for …', '"placed_at":"2026'])
      expect(all).toContain(shown)
    const { records } = await recorder.list({ search: plant(500).email.toUpperCase() })
    expect(records.filter(({ resource }) => resource?.number === '50500')).toHaveLength(1)

    if (given.file !== undefined) {
      for (const content of readFiles(given.file)) expect(PLANTED.exec(content)?.[0]).toBeUndefined()
      await recorder.close()
      for (const content of readFiles(given.file)) expect(PLANTED.exec(content)?.[0]).toBeUndefined()
    }
  }, 120_000)

  it('shows further fields that were named, and nothing of metadata', async () => {
    const { recorder, receiver } = createShop({ ...options(), redact: { allow: ['sku_code', 'metadata'] } })
    const attributes = { sku_code: 'TSHIRT-XL', name: 'Shirt', metadata: { sku_code: 'hidden' }, note: 'x' }
    await receiver.receive(delivery('skus.create', { data: { id: 'a1', type: 'skus', attributes } }))
    const { records } = await recorder.list()
    const body = (await recorder.get(String(records[0]?.id)))?.body
    expect(JSON.parse(Buffer.from(body ?? []).toString()).data.attributes).toEqual({
      ...{ sku_code: 'TSHIRT-XL', name: '…', metadata: '…', note: '…' },
    })
  })
})

describe('maskDocument', () => {
  it.each([true, 7, 'x', [1], { x: 1 }])('shows nothing of metadata, also if it is %j', (metadata) => {
    const data = { type: 'orders', id: 'a', attributes: { metadata, guest: true } }
    expect(maskDocument({ data })).toEqual({ data: { ...data, attributes: { metadata: '…', guest: true } } })
  })

  it('keeps the form of a document, and the values of fields that may be shown', () => {
    const document = plantedOrder(1)
    const before = JSON.stringify(document)
    const masked = maskDocument(document) as typeof document
    expect(JSON.stringify(document)).toBe(before)
    expect(masked.data).toMatchObject({
      id: 'ord1',
      type: 'orders',
      attributes: { number: '50001', status: 'placed', total_amount_cents: 1201, customer_email: '…', metadata: '…' },
      relationships: { customer: { data: { type: 'customers', id: 'cust1' } }, odd: { data: { type: '…', id: '…' } } },
      meta: { mode: 'test', organization_id: 'wRPpEFOElR', owner: '…' },
    })
    expect(JSON.stringify(masked)).not.toMatch(PLANTED)
  })

  it.each([['text'], [7], [null], [undefined], [[{ name: 'Zoë' }]], [{ name: 'Zoë' }]])(
    'masks %j, which is no document, as a whole',
    (value) => {
      expect(maskDocument(value)).toBe('…')
    },
  )

  it.each([
    ['a string as its data', { data: 'Zoë' }],
    ['a list as its attributes', { data: { id: 'a', type: 'b', attributes: ['Zoë'] } }],
    ['a list of lists', { data: [[{ id: 'Zoë Q', type: 'b' }]], included: 'Zoë' }],
    ['a name of Object.prototype', JSON.parse('{"data":{"__proto__":"Zoë","constructor":"Zoë","toString":"Zoë"}}')],
    [
      'an object where a text belongs',
      { data: { id: { Zoë: 1 }, type: ['Zoë'], attributes: { status: { a: 'Zoë' } } } },
    ],
  ])('shows nothing of a document with %s', (_, document) => {
    expect(JSON.stringify(maskDocument(document))).not.toContain('Zoë')
  })
})

/** The contents of the file, and of those that SQLite has put beside it. Bodies in it are compressed: see above. */
function readFiles(file: string): string[] {
  const names = readdirSync(dirname(file)).filter((name) => name.startsWith(basename(file)))
  expect(names.length).toBeGreaterThan(0)
  return names.flatMap((name) => {
    const content = readFileSync(join(dirname(file), name))
    return [content.toString('latin1'), content.toString('utf8')]
  })
}

it('an email address is in a file as a hash with a key, which nobody can compute without it', async () => {
  const { createHash, createHmac } = await import('node:crypto')
  const file = createPath()
  const { recorder, receiver } = createShop({ file, key: 'a key of the shop itself' })
  const customer = { id: 'OeRyhjDlje', type: 'customers', attributes: { email: 'Zoe@Example.com' } }
  await receiver.receive(delivery('customers.create', { data: customer }))
  await recorder.close()
  const content = readFileSync(file).toString('latin1')
  const hex = (key: string) => createHmac('sha256', key).update('zoe@example.com').digest('hex').slice(0, 24)
  expect(content).toContain(hex('a key of the shop itself'))
  expect(content).not.toContain(createHash('sha256').update('zoe@example.com').digest('hex').slice(0, 24))
  expect(readdirSync(dirname(file))).not.toContain('records.db.key')
  const { recorder: other } = createShop({ file, key: 'another key, of nobody' })
  expect((await other.list({ search: 'zoe@example.com' })).records).toEqual([])
})
