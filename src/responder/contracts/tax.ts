import { checkCurrency, describeRate, type Fields, readFields, readMetadata, wrongAnswer } from './fields.ts'
import { type AnsweredLine, pathOfField, readLineItems } from './line-items.ts'
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
  /**
   * The breakdown by jurisdiction, such as `country_tax_rate`. Its fields are those of TaxJar, as far as they are
   * shown.
   */
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
  const problem = tax_rate === undefined ? undefined : describeRate(tax_rate)
  if (problem !== undefined) throw wrongAnswer('data.tax_rate', problem)
  if (freight_taxable !== undefined && typeof freight_taxable !== 'boolean') {
    throw wrongAnswer('data.freight_taxable', 'is not true or false')
  }
  const isForAll = tax_rate !== undefined && Array.isArray(line_items) && line_items.length === 0
  const lines = line_items === undefined || isForAll ? [] : readLineItems(line_items, facts)
  for (const line of lines) checkLine(line)
  if (tax_rate === undefined) checkAllSold(lines, facts)
  // Assigned one by one: spread, they would cost as much as all checks.
  const data: Record<string, unknown> = {}
  if (tax_rate !== undefined) data.tax_rate = tax_rate
  if (freight_taxable !== undefined) data.freight_taxable = freight_taxable
  if (lines.length > 0) data.line_items = lines.map(({ fields }) => fields)
  return metadata === undefined ? data : { ...data, ...readMetadata(metadata) }
}

function checkLine(answered: AnsweredLine): void {
  const { fields, line } = answered
  if (fields.tax_rate === undefined && fields.tax_collectable === undefined) {
    throw wrongAnswer(pathOfField(answered, 'tax_rate'), 'is missing')
  }
  for (const name of Object.keys(fields)) {
    const problem = describeField(name, fields[name], line.units)
    if (problem !== undefined) throw wrongAnswer(pathOfField(answered, name), problem)
  }
}

/** What is wrong with a field of a line. */
function describeField(name: string, value: unknown, units: number | undefined): string | undefined {
  if (name.endsWith('_rate')) return describeRate(value)
  if (name.endsWith('_collectable') || name.endsWith('_amount')) return describePart(value, units)
  return isScalar(value) ? undefined : 'is not text, number or boolean'
}

/** A part of the amount of a line. That of a discount is negative, and so may be its tax. */
function describePart(value: unknown, whole = Number.MAX_VALUE): string | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return 'is not a number'
  if (value < Math.min(0, whole)) return 'is negative'
  return value > Math.max(0, whole) ? 'is over the amount of the line: it is in units, not in cents' : undefined
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
