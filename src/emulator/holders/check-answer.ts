import type { ExternalResourceKind } from '../../commerce-layer/external-resources.ts'
import type { ResourceDocument } from '../../wire/document.ts'

type Fields = Readonly<Record<string, unknown>>

/** What an answer says: it is accepted, it refuses, or there is something wrong with it. */
export type Verdict =
  | { readonly outcome: 'accepted'; readonly data: Fields }
  | { readonly outcome: 'refused'; readonly error: Fields }
  | { readonly outcome: 'malformed'; readonly problem: string }

/** Reads an answer as far as its form is documented. */
export function checkAnswer(
  kind: ExternalResourceKind,
  status: number,
  text: string,
  request: ResourceDocument,
): Verdict {
  const answer = readJson(text)
  if (!isFields(answer)) return { outcome: 'malformed', problem: 'The answer is not a JSON object.' }
  if (status >= 400) {
    const { error } = answer
    if (answer.success !== false || !isFields(error)) return { outcome: 'malformed', problem: 'It has no `error`.' }
    return { outcome: 'refused', error }
  }
  const { success, data } = answer
  if (success !== true || !isFields(data)) return { outcome: 'malformed', problem: 'It has no `success` and `data`.' }
  const problem = CHECKS[kind](data, readLines(request), request)
  return problem === undefined ? { outcome: 'accepted', data } : { outcome: 'malformed', problem }
}

type Check = (data: Fields, lines: ReadonlyMap<string, Fields>, request: ResourceDocument) => string | undefined

const CHECKS: Readonly<Record<ExternalResourceKind, Check>> = {
  prices(data, _, request) {
    const { sku_code } = [request.data].flat()[0]?.attributes ?? {}
    if (data.sku_code !== undefined && data.sku_code !== sku_code) return '`sku_code` is not that of the line item.'
    return isCents(data.unit_amount_cents) ? undefined : '`unit_amount_cents` is not a number of cents.'
  },
  'order-validation': () => undefined,
  'shipping-cost': (data) =>
    Object.entries(data).some(([name, value]) => name.endsWith('_cents') && isCents(value))
      ? undefined
      : 'There is no number of cents.',
  promotion(data, lines) {
    if (typeof data.name !== 'string') return '`name` is not text.'
    const given = data.line_items
    if (given === undefined) return isCents(data.discount_cents) ? undefined : '`discount_cents` is missing.'
    if (!Array.isArray(given)) return '`line_items` is not a list.'
    const own = given.filter(({ discount_cents }) => discount_cents !== undefined)
    if (own.length > 0 && own.length < given.length) return 'Only some lines have `discount_cents`.'
    if (own.length === 0 && !isCents(data.discount_cents)) return '`discount_cents` is missing.'
    if (!own.every(({ discount_cents }) => isCents(discount_cents))) return 'A discount is not a number of cents.'
    return findStranger(given, lines)
  },
  tax(data, lines) {
    const given = data.line_items ?? []
    if (!Array.isArray(given)) return '`line_items` is not a list.'
    if (data.tax_rate === undefined && given.length === 0) return 'There is no tax.'
    if (![data, ...given].every(({ tax_rate }) => tax_rate === undefined || isRate(tax_rate))) {
      return 'A `tax_rate` is not from 0 to 1.'
    }
    const isOver = ({ id, tax_collectable }: Fields) =>
      Number(tax_collectable ?? 0) > Math.max(0, Number(lines.get(String(id))?.total_amount_float ?? Infinity))
    return findStranger(given, lines) ?? (given.some(isOver) ? 'A tax is over the amount of its line.' : undefined)
  },
}

function findStranger(given: readonly Fields[], lines: ReadonlyMap<string, Fields>): string | undefined {
  return given.every(({ id }) => lines.has(String(id))) ? undefined : 'A line is not of the request.'
}

function readLines({ included = [] }: ResourceDocument): ReadonlyMap<string, Fields> {
  const lines = included.filter(({ type }) => type === 'line_items')
  return new Map(lines.map(({ id, attributes = {} }) => [id, attributes]))
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCents(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isRate(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1
}
