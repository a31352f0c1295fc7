import { checkCents, checkCurrency, type Fields, readFields, readMetadata, wrongAnswer } from './fields.ts'
import type { RequestFacts } from './request-facts.ts'

/** The price of one unit of a line item. Source: Commerce Layer, "External prices"; `bundle_code` is inferred. */
export interface PricesAnswer {
  /** In cents, not negative. */
  readonly unit_amount_cents: number
  /** Default: that of the request. */
  readonly sku_code?: string | undefined
  /** Default: that of the request, for a line without an SKU. */
  readonly bundle_code?: string | undefined
  /** Is checked against the request, and not sent: Commerce Layer takes the currency of the order. */
  readonly currency_code?: string | undefined
  /** Stored on the line item. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
}

const FIELDS = ['unit_amount_cents', 'sku_code', 'bundle_code', 'currency_code', 'metadata']

export function writePrices(answer: unknown, { currency, skuCode, bundleCode }: RequestFacts): Fields {
  const { unit_amount_cents, sku_code, bundle_code, currency_code, metadata } = readFields(answer, 'data', FIELDS)
  checkCents(unit_amount_cents, 'data.unit_amount_cents', 0)
  checkCurrency(currency_code, currency)
  if (sku_code !== undefined && sku_code !== skuCode) throw wrongAnswer('data.sku_code', 'is not that of the request')
  if (bundle_code !== undefined && bundle_code !== bundleCode) {
    throw wrongAnswer('data.bundle_code', 'is not that of the request')
  }
  const code = skuCode === undefined && bundleCode !== undefined ? { bundle_code: bundleCode } : { sku_code: skuCode }
  return { ...code, unit_amount_cents, ...readMetadata(metadata) }
}
