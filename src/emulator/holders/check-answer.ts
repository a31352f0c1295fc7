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
    if (answer.success !== false || !isFields(error))
      return { outcome: 'malformed', problem: 'The answer has no `error`.' }
    return { outcome: 'refused', error }
  }
  const { success, data } = answer
  if (success !== true || !isFields(data))
    return { outcome: 'malformed', problem: 'The answer has no `success` and `data`.' }
  const problem = CHECKS[kind](data, readLines(request), request)
  return problem === undefined ? { outcome: 'accepted', data } : { outcome: 'malformed', problem }
}

type Check = (data: Fields, lines: ReadonlyMap<string, Fields>, request: ResourceDocument) => string | undefined

const CHECKS: Readonly<Record<ExternalResourceKind, Check>> = {
  prices({ sku_code, unit_amount_cents }, _, request) {
    const { attributes = {} } = [request.data].flat()[0] ?? {}
    if (sku_code !== undefined && sku_code !== attributes.sku_code) {
      return '`data.sku_code` is not that of the line item.'
    }
    return isCents(unit_amount_cents) ? undefined : '`data.unit_amount_cents` is not a number of cents.'
  },
  'order-validation': () => undefined,
  'shipping-cost': (data) =>
    Object.entries(data).some(([name, value]) => name.endsWith('_cents') && isCents(value))
      ? undefined
      : '`data` has no number of cents.',
  promotion({ name, discount_cents, line_items: given }, lines) {
    if (typeof name !== 'string') return '`data.name` is not text.'
    const isWhole = isCents(discount_cents)
    if (given === undefined) return isWhole ? undefined : '`data.discount_cents` is missing.'
    if (!isListOfFields(given)) return '`data.line_items` is not a list of objects.'
    const own = given.filter((line) => line.discount_cents !== undefined)
    if (own.length === 0 && !isWhole) return '`data.discount_cents` is missing.'
    return (
      findLine(given, ({ discount_cents }) => own.length > 0 && discount_cents === undefined, {
        field: 'discount_cents',
        problem: 'is missing. Only some lines have one.',
      }) ??
      findLine(given, ({ discount_cents }) => discount_cents !== undefined && !isCents(discount_cents), {
        field: 'discount_cents',
        problem: 'is not a number of cents.',
      }) ??
      findUnknownLine(given, lines)
    )
  },
  tax({ tax_rate, line_items: given = [] }, lines) {
    if (!isListOfFields(given)) return '`data.line_items` is not a list of objects.'
    if (tax_rate === undefined && given.length === 0) return '`data` has no tax.'
    if (!isRate(tax_rate)) return '`data.tax_rate` is not from 0 to 1.'
    const isOver = ({ id, tax_collectable }: Fields) =>
      Number(tax_collectable ?? 0) > Math.max(0, Number(lines.get(String(id))?.total_amount_float ?? Infinity))
    return (
      findLine(given, (line) => !isRate(line.tax_rate), { field: 'tax_rate', problem: 'is not from 0 to 1.' }) ??
      findUnknownLine(given, lines) ??
      findLine(given, isOver, { field: 'tax_collectable', problem: 'is over the amount of its line.' })
    )
  },
}

/** Says what is wrong with the first line that is, and where. */
function findLine(
  given: readonly Fields[],
  isWrong: (line: Fields) => boolean,
  { field, problem }: { readonly field: string; readonly problem: string },
): string | undefined {
  const at = given.findIndex(isWrong)
  return at === -1 ? undefined : `\`data.line_items[${at}].${field}\` ${problem}`
}

function findUnknownLine(given: readonly Fields[], lines: ReadonlyMap<string, Fields>): string | undefined {
  return findLine(given, ({ id }) => !lines.has(String(id)), {
    field: 'id',
    problem: 'is not that of a line of the request.',
  })
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

function isListOfFields(value: unknown): value is readonly Fields[] {
  return Array.isArray(value) && value.every(isFields)
}

function isCents(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

/** A rate from 0 to 1, or none. */
function isRate(value: unknown): boolean {
  return value === undefined || (typeof value === 'number' && value >= 0 && value <= 1)
}
