import type { ExternalResourceKind } from 'hooklayer/responder'
import { createRequest, TEST_SECRET } from 'hooklayer/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { ask, createLines, read, respondWith } from './harness.ts'

interface IncludedLine {
  readonly id: string
  readonly type: string
  readonly attributes: { readonly item_type: string; readonly total_amount_cents: number }
}

/** The lines of the sample order: 3,000 and 2,000 cents of SKUs, a shipment, a fee and a discount. */
let ids: string[]
let discountLine: string
beforeAll(async () => {
  const { body } = await createRequest('tax')
  const { included } = JSON.parse(new TextDecoder().decode(body)) as { included: IncludedLine[] }
  const lines = included.filter(({ type }) => type === 'line_items')
  ids = lines.map(({ id }) => id)
  expect(lines.slice(0, 2).map(({ attributes }) => attributes.total_amount_cents)).toEqual([3000, 2000])
  discountLine = String(lines.find(({ attributes }) => attributes.total_amount_cents < 0)?.id)
})

type MakeAnswer = () => unknown
type Case = readonly [what: string, answer: MakeAnswer, data?: MakeAnswer]

const soldLines = (fields: object) => ids.slice(0, 2).map((id) => ({ id, ...fields }))

const RIGHT: Readonly<Record<ExternalResourceKind, readonly Case[]>> = {
  prices: [
    [
      'a price, with the code of the request added',
      () => ({ unit_amount_cents: 4900 }),
      () => ({ sku_code: 'TSHIRTMM000000FFFFFFXLXX', unit_amount_cents: 4900 }),
    ],
    [
      'a price of nothing, with metadata',
      () => ({ unit_amount_cents: 0, metadata: { level: 'gold' } }),
      () => ({ sku_code: 'TSHIRTMM000000FFFFFFXLXX', unit_amount_cents: 0, metadata: { level: 'gold' } }),
    ],
    [
      'the currency of the request, which is not sent',
      () => ({ unit_amount_cents: 1, sku_code: 'TSHIRTMM000000FFFFFFXLXX', currency_code: 'EUR' }),
      () => ({ sku_code: 'TSHIRTMM000000FFFFFFXLXX', unit_amount_cents: 1 }),
    ],
  ],
  'order-validation': [
    ['nothing to say', () => ({}), () => ({})],
    ['metadata', () => ({ metadata: { checked: true } }), () => ({ metadata: { checked: true } })],
  ],
  'shipping-cost': [
    ['a cost', () => ({ unit_amount_cents: 1500 }), () => ({ unit_amount_cents: 1500 })],
    [
      'fields that are not documented',
      () => ({ cost_amount_cents: 5, carrier: { name: 'DHL' }, metadata: {} }),
      () => ({ cost_amount_cents: 5, carrier: { name: 'DHL' }, metadata: {} }),
    ],
  ],
  promotion: [
    ['a discount of the order', () => ({ name: 'Ten', discount_cents: 1000 })],
    ['a discount that is spread over lines', () => ({ name: 'Ten', discount_cents: 5000, line_items: soldLines({}) })],
    ['a discount for each line', () => ({ name: 'Ten', line_items: soldLines({ discount_cents: 2000 }) })],
  ],
  tax: [
    ['a rate for all', () => ({ tax_rate: 0.25 })],
    ['a rate of nothing', () => ({ tax_rate: 0 })],
    ['a rate for all, and no line of its own', () => ({ tax_rate: 0.1, line_items: [] }), () => ({ tax_rate: 0.1 })],
    ['a rate for each line that is sold', () => ({ line_items: soldLines({ tax_rate: 1 }) })],
    ['taxes up to the amount of the line', () => ({ line_items: soldLines({ tax_collectable: 20 }) })],
    ['the tax of one line, and a rate for all', () => ({ tax_rate: 0.2, line_items: [{ id: ids[0], tax_rate: 0.1 }] })],
    [
      'a breakdown',
      () => ({
        freight_taxable: true,
        line_items: soldLines({
          tax_collectable: 1.5,
          taxable_amount: 15,
          country_tax_rate: 0.1,
          country_taxable_amount: 15,
          country_tax_collectable: 1.5,
          special_tax_rate: 0,
          jurisdiction: 'IT',
        }),
      }),
    ],
    [
      'the tax of a discount, which is negative',
      () => ({ tax_rate: 0.2, line_items: [{ id: discountLine, tax_collectable: -1 }] }),
    ],
  ],
}

const circular: { self?: unknown } = {}
circular.self = circular

const WRONG: Readonly<Record<ExternalResourceKind, readonly (readonly [path: string, answer: MakeAnswer])[]>> = {
  prices: [
    ['data is not', () => undefined],
    ['data is not', () => null],
    ['data is not', () => 4900],
    ['data is not', () => [{ unit_amount_cents: 1 }]],
    ['data.unit_amount_cents', () => ({})],
    ['data.unit_amount_cents', () => ({ unit_amount_cents: 49.5 })],
    ['data.unit_amount_cents', () => ({ unit_amount_cents: '4900' })],
    ['data.unit_amount_cents', () => ({ unit_amount_cents: -1 })],
    ['data.unit_amount_cents', () => ({ unit_amount_cents: Number.NaN })],
    ['data.unit_amount_cents', () => ({ unit_amount_cents: Number.POSITIVE_INFINITY })],
    ['data.unit_amount_cents', () => ({ unit_amount_cents: 1n })],
    ['data.unit_amount', () => ({ unit_amount_cents: 1, unit_amount: 1 })],
    ['data.sku_code', () => ({ unit_amount_cents: 1, sku_code: 'ANOTHER' })],
    ['data.bundle_code', () => ({ unit_amount_cents: 1, bundle_code: 'ANOTHER' })],
    ['data.currency_code', () => ({ unit_amount_cents: 1, currency_code: 'USD' })],
    ['data.metadata', () => ({ unit_amount_cents: 1, metadata: 'gold' })],
    ['data.metadata', () => ({ unit_amount_cents: 1, metadata: circular })],
    ['data.metadata', () => ({ unit_amount_cents: 1, metadata: { big: 1n } })],
    ['data.metadata', () => ({ unit_amount_cents: 1, metadata: { toJSON: () => 'text' } })],
    ['data is over 1 MiB', () => ({ unit_amount_cents: 1, metadata: { text: 'ü'.repeat(600_000) } })],
  ],
  'order-validation': [
    ['data is not', () => undefined],
    ['data is not', () => true],
    ['data.valid', () => ({ valid: false })],
    ['data.error', () => ({ error: { code: 'OUT', message: 'Out of stock' } })],
  ],
  'shipping-cost': [
    ['data.unit_amount_cents', () => ({})],
    ['data.unit_amount_cents', () => ({ unit_amount_cents: 15.5 })],
    ['data.cost_cents', () => ({ unit_amount_cents: 15, cost_cents: -1 })],
    ['data.currency_code', () => ({ unit_amount_cents: 15, currency_code: 'CHF' })],
    ['data cannot', () => ({ unit_amount_cents: 15, circular })],
    ['data.toJSON is a function', () => ({ unit_amount_cents: 15, toJSON: () => ({ unit_amount_cents: -15 }) })],
    ['data.__proto__', () => JSON.parse('{"unit_amount_cents":15,"__proto__":{"unit_amount_cents":-15}}')],
    ['data.unit_amount_cents', () => JSON.parse('{"unit_amount_cents":1e400}')],
    ['data.unit_amount_cents', () => ({ unit_amount_cents: 15n })],
    ['data cannot', () => ({ unit_amount_cents: 15, weight: 15n })],
  ],
  promotion: [
    ['data.name', () => ({ discount_cents: 1 })],
    ['data.name', () => ({ name: ' ', discount_cents: 1 })],
    ['data.discount_cents', () => ({ name: 'Ten' })],
    ['data.discount_cents', () => ({ name: 'Ten', discount_cents: 0 })],
    ['data.discount_cents', () => ({ name: 'Ten', discount_cents: -1000 })],
    ['data.discount_cents', () => ({ name: 'Ten', discount_cents: 10.5 })],
    ['data.discount_cents is more', () => ({ name: 'Ten', discount_cents: 1_000_000 })],
    ['data.discount_cents is more', () => ({ name: 'Ten', discount_cents: 3001, line_items: [{ id: ids[0] }] })],
    ['data.line_items is empty', () => ({ name: 'Ten', discount_cents: 1, line_items: [] })],
    ['data.line_items is not', () => ({ name: 'Ten', discount_cents: 1, line_items: {} })],
    ['data.line_items[0].id', () => ({ name: 'Ten', discount_cents: 1, line_items: [{ id: 'another' }] })],
    ['data.line_items[1].id', () => ({ name: 'Ten', discount_cents: 1, line_items: [{ id: ids[0] }, { id: ids[0] }] })],
    [
      'data.line_items[1].discount_cents',
      () => ({ name: 'Ten', line_items: [{ id: ids[0], discount_cents: 1 }, { id: ids[1] }] }),
    ],
    [
      'data.line_items[0].discount_cents',
      () => ({ name: 'Ten', discount_cents: 5, line_items: [{ id: ids[0], discount_cents: 5 }] }),
    ],
    [
      'data.line_items[0].discount_cents is more',
      () => ({ name: 'Ten', line_items: soldLines({ discount_cents: 3001 }) }),
    ],
    ['data.line_item ', () => ({ name: 'Ten', discount_cents: 5, line_item: [{ id: ids[0] }] })],
    [
      'data.line_items[0].discount ',
      () => ({ name: 'Ten', discount_cents: 5, line_items: [{ id: ids[0], discount: 5 }] }),
    ],
  ],
  tax: [
    ['data.tax_rate is missing', () => ({})],
    ['data.tax_rate is over 1', () => ({ tax_rate: 25 })],
    ['data.tax_rate is negative', () => ({ tax_rate: -0.1 })],
    ['data.tax_rate is not', () => ({ tax_rate: '0.25' })],
    ['data.freight_taxable', () => ({ tax_rate: 0, freight_taxable: 'yes' })],
    ['data.line_items lacks', () => ({ line_items: [{ id: ids[0], tax_rate: 0.1 }] })],
    ['data.line_items[0].tax_rate is missing', () => ({ tax_rate: 0.1, line_items: [{ id: ids[0] }] })],
    ['data.line_items[1].tax_collectable is over', () => ({ line_items: soldLines({ tax_collectable: 20.01 }) })],
    ['data.line_items[0].tax_collectable is over', () => ({ line_items: soldLines({ tax_collectable: 900 }) })],
    ['data.line_items[0].tax_collectable is negative', () => ({ line_items: soldLines({ tax_collectable: -1 }) })],
    ['data.line_items[0].tax_collectable is not', () => ({ line_items: soldLines({ tax_collectable: '9' }) })],
    [
      'data.line_items[0].country_tax_rate is over',
      () => ({ line_items: soldLines({ tax_rate: 0.1, country_tax_rate: 10 }) }),
    ],
    ['data.line_items[0].jurisdiction', () => ({ line_items: soldLines({ tax_rate: 0.1, jurisdiction: {} }) })],
    ['data.line_items[0].score', () => ({ line_items: soldLines({ tax_rate: 0.1, score: Number.NaN }) })],
    ['data.line_items[0].id', () => ({ tax_rate: 0.1, line_items: [{ id: 'another', tax_rate: 0.1 }] })],
    ['data.line_items[0] is not', () => ({ tax_rate: 0.1, line_items: ['another'] })],
    ['data.currency_code', () => ({ tax_rate: 0.1, currency_code: 'USD' })],
  ],
}

const KINDS = Object.keys(RIGHT) as ExternalResourceKind[]

describe.each(KINDS)('an answer of %s', (kind) => {
  it.each(RIGHT[kind].map(([what, answer, data = answer]) => [what, answer, data] as const))(
    'leaves: %s',
    async (_, answer, data) => {
      const { logger, lines } = createLines()
      const sent = await ask(respondWith(kind, answer(), { logger }), kind)
      expect(sent).toEqual({ status: 200, body: { success: true, data: JSON.parse(JSON.stringify(data())) } })
      expect(lines).toEqual([])
    },
  )

  it.each(WRONG[kind])('never leaves, and is logged with its path: %s (%#)', async (path, answer) => {
    const { logger, lines } = createLines()
    const sent = await ask(respondWith(kind, answer(), { logger }), kind)
    expect(sent.status).toBe(500)
    expect(sent.body).toMatchObject({ success: false, error: { code: 'INTERNAL_ERROR' } })
    expect(lines).toHaveLength(1)
    expect(lines[0]?.message).toContain(`The answer is wrong: ${path}`)
  })
})

describe('the check', () => {
  it('reads each field once, so that a getter cannot change what was checked', async () => {
    let reads = 0
    const answer = Object.defineProperty({}, 'unit_amount_cents', {
      enumerable: true,
      get: () => (reads++ === 0 ? 4900 : -1),
    })
    expect((await ask(respondWith('prices', answer), 'prices')).body.data).toMatchObject({ unit_amount_cents: 4900 })
    expect(reads).toBe(1)
  })

  it('knows the lines as they were before the handler changed them', async () => {
    const handler = ({ resource }: { resource: { line_items: { id: string }[] } }) => {
      const [first] = resource.line_items
      if (first) first.id = 'another'
      return { tax_rate: 0.1, line_items: [{ id: 'another', tax_rate: 0.2 }] }
    }
    expect((await ask(respondWith('tax', handler), 'tax')).status).toBe(500)
  })

  it('takes no lines where the request has none to compare them with', async () => {
    const { logger, lines } = createLines()
    const responder = respondWith('tax', { line_items: [{ id: ids[0], tax_rate: 0.1 }] }, { logger })
    expect((await ask(responder, 'tax', { include: ['market'] })).status).toBe(500)
    expect(lines[0]?.message).toContain('data.line_items cannot be checked')
  })

  it('takes the code of a bundle where the line has no SKU', async () => {
    const resource = { sku_code: null, bundle_code: 'BUNDLE' }
    const sent = await ask(respondWith('prices', { unit_amount_cents: 1 }), 'prices', { resource })
    expect(sent.body.data).toEqual({ bundle_code: 'BUNDLE', unit_amount_cents: 1 })
  })

  it('takes amounts of a currency without decimals in its units', async () => {
    const request = await createRequest('tax', {
      resource: { currency_code: 'JPY', line_items: [{ total_amount_cents: 3000, total_amount_float: 3000 }] },
      secret: TEST_SECRET,
    })
    const answer = { tax_rate: 0.1, line_items: [{ id: ids[0], tax_collectable: 300 }] }
    expect(read(await respondWith('tax', answer).receive(request)).status).toBe(200)
  })
})
