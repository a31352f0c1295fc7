import { checkCurrency, checkRate, type Fields, readFields, readMetadata, wrongAnswer } from './fields.ts'
import { type AnsweredLine, readLineItems } from './line-items.ts'
import type { RequestFacts } from './request-facts.ts'

/** The tax of a line. It needs `tax_rate` or `tax_collectable`; the latter comes first if both are there. */
export interface TaxedLine {
  /** A line of the request. */
  readonly id: string
  /** From 0 to 1: 0.25 for 25 %. */
  readonly tax_rate?: number | undefined
  /** In units of the currency, not in cents: 9.0 for 900 cents. Not over the amount of the line. */
  readonly tax_collectable?: number | undefined
  /** The amount that is taxed, in units of the currency. */
  readonly taxable_amount?: number | undefined
  /** The breakdown by jurisdiction, such as `country_tax_rate`. Its fields are those of TaxJar, as far as they are shown. */
  readonly [field: string]: unknown
}

/**
 * The taxes of an order: a rate for all lines, or lines, or both. Without a rate for all, each line of an SKU or a
 * bundle has to be there, with 0 where there is no tax. Source: Commerce Layer, "External tax calculators".
 */
export interface TaxAnswer {
  /** From 0 to 1, for the lines that have no tax of their own. */
  readonly tax_rate?: number | undefined
  /** May be empty beside a rate for all. */
  readonly line_items?: readonly TaxedLine[] | undefined
  readonly freight_taxable?: boolean | undefined
  /** Is checked against the request, and not sent. */
  readonly currency_code?: string | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
}

const FIELDS = ['tax_rate', 'line_items', 'freight_taxable', 'currency_code', 'metadata']

export function writeTax(answer: unknown, facts: RequestFacts): Fields {
  const { tax_rate, line_items, freight_taxable, currency_code, metadata } = readFields(answer, 'data', FIELDS)
  checkCurrency(currency_code, facts.currency)
  if (tax_rate === undefined && line_items === undefined) throw wrongAnswer('data.tax_rate', 'is missing')
  if (tax_rate !== undefined) checkRate(tax_rate, 'data.tax_rate')
  if (freight_taxable !== undefined && typeof freight_taxable !== 'boolean') {
    throw wrongAnswer('data.freight_taxable', 'is not true or false')
  }
  const isForAll = tax_rate !== undefined && Array.isArray(line_items) && line_items.length === 0
  const lines = line_items === undefined || isForAll ? [] : readLineItems(line_items, facts)
  for (const line of lines) checkLine(line)
  if (tax_rate === undefined) checkAllSold(lines, facts)
  return {
    ...(tax_rate !== undefined && { tax_rate }),
    ...(freight_taxable !== undefined && { freight_taxable }),
    ...(lines.length > 0 && { line_items: lines.map(({ fields }) => fields) }),
    ...readMetadata(metadata),
  }
}

function checkLine({ fields, path, line }: AnsweredLine): void {
  if (fields.tax_rate === undefined && fields.tax_collectable === undefined) {
    throw wrongAnswer(`${path}.tax_rate`, 'is missing')
  }
  for (const name of Object.keys(fields)) {
    const value = fields[name]
    const at = `${path}.${name.slice(0, 50)}`
    if (name.endsWith('_rate')) checkRate(value, at)
    else if (name.endsWith('_collectable') || name.endsWith('_amount')) checkPart(value, at, line.units)
    else if (!isScalar(value)) throw wrongAnswer(at, 'is not text, number or boolean')
  }
}

/** A part of the amount of a line. That of a discount is negative, and so may be its tax. */
function checkPart(value: unknown, path: string, whole = Number.MAX_VALUE): void {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrongAnswer(path, 'is not a number')
  if (value < Math.min(0, whole)) throw wrongAnswer(path, 'is negative')
  if (value > Math.max(0, whole)) {
    throw wrongAnswer(path, 'is over the amount of the line: it is in units, not in cents')
  }
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
}

/** Without a rate for all, the tax of a line that is not there is not known. */
function checkAllSold(answered: readonly AnsweredLine[], { lines }: RequestFacts): void {
  const given = new Set(answered.map(({ line }) => line))
  for (const line of lines?.values() ?? []) {
    if (!line.isSold || given.has(line)) continue
    throw wrongAnswer('data.line_items', 'lacks a line of the request, and there is no `data.tax_rate`')
  }
}
