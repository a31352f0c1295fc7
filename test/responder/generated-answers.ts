import fc from 'fast-check'
import type { ExternalResourceKind } from 'hooklayer/responder'
import { createRequest, type TestRequest } from 'hooklayer/testing'
import { expect } from 'vitest'
import { read, respondWith } from './harness.ts'

interface GeneratedLine {
  readonly id: string
  readonly cents: number
  readonly units: number
}

/** A request, and what an answer to it may say. */
interface GeneratedRequest {
  readonly kind: ExternalResourceKind
  readonly request: TestRequest
  readonly lines: readonly GeneratedLine[]
  readonly currency: string
  readonly subtotal: number
}

type Fields = Record<string, unknown>
type Lines = readonly (Fields & { readonly id: string })[]

interface Case {
  readonly asked: GeneratedRequest
  readonly answer: unknown
  /** How the answer was made wrong; `undefined` for a right one. */
  readonly wrong: string | undefined
}

const CURRENCIES = ['EUR', 'JPY', 'USD'] as const

/** Requests of a kind with one to six lines, in currencies with and without decimals. */
async function generateRequests(kind: ExternalResourceKind, seed: number): Promise<GeneratedRequest[]> {
  const amounts = fc.array(fc.integer({ min: 2, max: 500_000 }), { minLength: 1, maxLength: 6 })
  const drawn = fc.sample(fc.tuple(amounts, fc.constantFrom(...CURRENCIES)), { seed, numRuns: 40 })
  return Promise.all(drawn.map(([cents, currency], i) => createGenerated(kind, i, cents, currency)))
}

async function createGenerated(
  kind: ExternalResourceKind,
  number: number,
  amounts: readonly number[],
  currency: string,
): Promise<GeneratedRequest> {
  const lines = amounts.map((cents, i) => ({
    id: `line${number}x${i}`,
    cents,
    units: currency === 'JPY' ? cents : cents / 100,
  }))
  const subtotal = amounts.reduce((sum, cents) => sum + cents, 0)
  const order = {
    type: 'orders',
    id: `order${number}`,
    currency_code: currency,
    subtotal_amount_cents: subtotal,
    line_items: lines.map(({ id, cents, units }) => ({
      type: 'line_items',
      id,
      item_type: 'skus',
      total_amount_cents: cents,
      total_amount_float: units,
    })),
  }
  const others = {
    prices: { type: 'line_items', id: `line${number}`, sku_code: 'SKU', currency_code: currency },
    'shipping-cost': { type: 'shipments', id: `shipment${number}`, currency_code: currency },
  }
  const resource = kind === 'prices' || kind === 'shipping-cost' ? others[kind] : order
  const include = 'line_items' in resource ? ['line_items'] : []
  const request = await createRequest(kind, { resource: resource as object, include })
  // A counterexample is printed without its bytes.
  const name = () => `${kind} of ${JSON.stringify(lines)} in ${currency}`
  return { kind, request, lines, currency, subtotal, [fc.toStringMethod]: name } as GeneratedRequest
}

const cents = fc.integer({ min: 0, max: 10_000_000 })
const rate = fc.oneof(fc.constantFrom(0, 1, 0.22), fc.double({ min: 0, max: 1, noNaN: true }))
const metadata = fc.option(fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 2 }), {
  nil: undefined,
})

/** Right answers to a request. */
function rightAnswers({ kind, lines, currency, subtotal }: GeneratedRequest): fc.Arbitrary<Fields> {
  const common = { metadata, currency_code: fc.constantFrom(undefined, currency) }
  const some = fc.subarray([...lines], { minLength: 1 })
  switch (kind) {
    case 'prices':
      return fc.record({ unit_amount_cents: cents, sku_code: fc.constantFrom(undefined, 'SKU'), ...common })
    case 'order-validation':
      return fc.record({ metadata })
    case 'shipping-cost':
      return fc.record({ unit_amount_cents: cents, carrier: fc.string(), ...common })
    case 'promotion': {
      const name = fc.constantFrom('Ten', 'Zehn für dich', '🎁')
      const whole = fc.record({ name, discount_cents: fc.integer({ min: 1, max: subtotal }), ...common })
      const spread = some.chain((chosen) =>
        fc.record({
          name,
          discount_cents: fc.integer({ min: 1, max: chosen.reduce((sum, line) => sum + line.cents, 0) }),
          line_items: fc.constant(chosen.map(({ id }) => ({ id }))),
          ...common,
        }),
      )
      const each = some.chain((chosen) =>
        fc.record({
          name,
          line_items: fc.tuple(
            ...chosen.map(({ id, cents }) =>
              fc.record({ id: fc.constant(id), discount_cents: fc.integer({ min: 1, max: cents }) }),
            ),
          ),
          ...common,
        }),
      )
      return fc.oneof(whole, spread, each)
    }
    case 'tax': {
      const line = ({ id, units }: GeneratedLine) => {
        const part = fc.double({ min: 0, max: units, noNaN: true })
        const collected = fc.record({ id: fc.constant(id), tax_collectable: part, taxable_amount: part })
        return fc.oneof(fc.record({ id: fc.constant(id), tax_rate: rate }), collected)
      }
      const freight_taxable = fc.constantFrom(undefined, true, false)
      const global = fc.record({ tax_rate: rate, freight_taxable, ...common })
      const all = fc.record({ line_items: fc.tuple(...lines.map(line)), freight_taxable, ...common })
      const mixed = some.chain((chosen) =>
        fc.record({ tax_rate: rate, line_items: fc.tuple(...chosen.map(line)), ...common }),
      )
      return fc.oneof(global, all, mixed)
    }
  }
}

type Mutation = (answer: Fields, asked: GeneratedRequest) => unknown

const AMOUNTS: Partial<Record<ExternalResourceKind, string>> = {
  prices: 'unit_amount_cents',
  'shipping-cost': 'unit_amount_cents',
}

/** Replaces the amount or the rate that matters most, wherever it is. */
function replaceAmount(answer: Fields, { kind }: GeneratedRequest, change: (amount: number) => unknown): unknown {
  const name = AMOUNTS[kind]
  if (name) return { ...answer, [name]: change(Number(answer[name])) }
  const whole = kind === 'promotion' ? 'discount_cents' : 'tax_rate'
  const isWhole = kind === 'promotion' ? answer[whole] !== undefined : answer.line_items === undefined
  if (isWhole) return { ...answer, [whole]: change(Number(answer[whole])) }
  const [first, ...others] = answer.line_items as Lines
  const field = kind === 'promotion' ? 'discount_cents' : first?.tax_rate === undefined ? 'tax_collectable' : 'tax_rate'
  return { ...answer, line_items: [{ ...first, [field]: change(Number(first?.[field])) }, ...others] }
}

const linesOf = (answer: Fields, { lines }: GeneratedRequest): Lines =>
  (answer.line_items as Lines | undefined) ?? lines.map(({ id }) => ({ id }))

/** A mutation that needs lines, or an amount, makes answers without them wrong in another way. */
const hasLines = ({ kind }: GeneratedRequest) => kind === 'promotion' || kind === 'tax'
const hasAmount = ({ kind }: GeneratedRequest) => kind !== 'order-validation'
const orUnknown =
  (applies: (asked: GeneratedRequest) => boolean, mutate: Mutation): Mutation =>
  (answer, asked) =>
    applies(asked) ? mutate(answer, asked) : readOnlyUnknown(answer, asked)
const readOnlyUnknown: Mutation = (answer, { kind }) =>
  kind === 'shipping-cost' ? { ...answer, other_cents: 0.5 } : { ...answer, unknown: 1 }
const amount = (change: (amount: number) => unknown) =>
  orUnknown(hasAmount, (answer, asked) => replaceAmount(answer, asked, change))
const lines = (change: (lines: Lines, asked: GeneratedRequest) => unknown) =>
  orUnknown(hasLines, (answer, asked) => ({ ...answer, line_items: change(linesOf(answer, asked), asked) }))

/** Each way makes every right answer wrong. */
const WRONG_WAYS: Readonly<Record<string, Mutation>> = {
  'gives nothing': () => undefined,
  'gives null': () => null,
  'gives text': (answer) => JSON.stringify(answer),
  'gives a list': (answer) => [answer],
  'gives a function': (answer) => () => answer,
  'wraps the answer as it is sent': (answer) => ({ success: true, data: answer }),
  'has a field that is not known': readOnlyUnknown,
  'has no amount': amount(() => undefined),
  'has an amount of null': amount(() => null),
  'has an amount as text': amount(String),
  'has a negative amount': amount((value) => -value - 1),
  'has NaN': amount(() => Number.NaN),
  'has Infinity': amount(() => Number.POSITIVE_INFINITY),
  'has a BigInt': amount(() => 1n),
  'has half a cent, or a rate in percent': orUnknown(hasAmount, (answer, asked) =>
    replaceAmount(answer, asked, (value) => (asked.kind === 'tax' ? 1e9 + value : value + 0.5)),
  ),
  'has metadata that are text': (answer) => ({ ...answer, metadata: 'gold' }),
  'has metadata that are a circle': (answer) => ({ ...answer, metadata: withCircle() }),
  'is over 1 MiB': (answer) => ({ ...answer, metadata: { text: BIG } }),
  'has another currency': orUnknown(hasAmount, (answer) => ({ ...answer, currency_code: 'CHF' })),
  'has a line that was not asked for': lines((given) => [...given, { ...given[0], id: 'stranger' }]),
  'has a line twice': lines((given) => [...given, given[0]]),
  'has a line without an id': lines((given) => [{ ...given[0], id: undefined }, ...given.slice(1)]),
  'has lines that are no list': lines((given) => ({ ...given })),
  'has no line in its list': orUnknown(hasLines, (answer) => ({ ...answer, tax_rate: undefined, line_items: [] })),
  'has a line that is text': lines((given) => [...given, 'line']),
  'says taxes in cents, or discounts more than a line costs': lines((given, asked) =>
    given.map(({ id }) => {
      const { units = 0, cents = 0 } = asked.lines.find((line) => line.id === id) ?? {}
      return asked.kind === 'tax' ? { id, tax_collectable: units * 100 } : { id, discount_cents: cents + 1 }
    }),
  ),
}

const BIG = 'x'.repeat(1024 * 1024)

function withCircle(): object {
  const circle: { self?: object } = {}
  circle.self = circle
  return circle
}

/** Answers, a third of them wrong. */
function generatedCases(requests: readonly GeneratedRequest[]): fc.Arbitrary<Case> {
  const ways = Object.keys(WRONG_WAYS)
  return fc.constantFrom(...requests).chain((asked) =>
    fc.tuple(rightAnswers(asked), fc.nat(2), fc.constantFrom(...ways)).map(([right, third, way]) => {
      if (third > 0) return { asked, answer: right, wrong: undefined }
      return { asked, answer: WRONG_WAYS[way]?.(right, asked), wrong: way }
    }),
  )
}

export const KINDS: readonly ExternalResourceKind[] = [
  'prices',
  'order-validation',
  'shipping-cost',
  'promotion',
  'tax',
]

/** Draws answers of a kind: no wrong one leaves, and no right one is held back. Each way to be wrong is met. */
export async function checkGeneratedAnswers(kind: ExternalResourceKind, runs: number, seed: number): Promise<void> {
  let answer: unknown
  const responder = respondWith(kind, () => answer)
  const met = new Set<string>()
  const check = async (drawn: Case) => {
    answer = drawn.answer
    const sent = read(await responder.receive(drawn.asked.request))
    if (drawn.wrong) {
      met.add(drawn.wrong)
      expect(sent).toMatchObject({ status: 500, body: { success: false, error: { code: 'INTERNAL_ERROR' } } })
    } else {
      expect(sent.status).toBe(200)
      const { currency_code, sku_code, ...data } = JSON.parse(JSON.stringify(answer))
      expect(sent.body).toEqual({ success: true, data: { ...data, ...(kind === 'prices' && { sku_code: 'SKU' }) } })
    }
  }
  const requests = await generateRequests(kind, seed)
  await fc.assert(fc.asyncProperty(generatedCases(requests), check), { seed, numRuns: runs })
  expect([...met].sort()).toEqual(Object.keys(WRONG_WAYS).sort())
}
