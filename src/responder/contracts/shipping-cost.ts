import { checkCents, checkCurrency, type Fields, readFields, readMetadata, wrongAnswer } from './fields.ts'
import type { RequestFacts } from './request-facts.ts'

/**
 * The cost of a shipment. No stored page shows the answer as a whole. `unit_amount_cents` is inferred from prices, so
 * other fields are sent as they are.
 */
export interface ShippingCostAnswer {
  /** In cents, not negative. It may be left out if another field `*_cents` is there. */
  readonly unit_amount_cents?: number | undefined
  /** Is checked against the request, and not sent. */
  readonly currency_code?: string | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  readonly [field: string]: unknown
}

export function writeShippingCost(answer: unknown, { currency }: RequestFacts): Fields {
  const { currency_code, metadata, ...others } = readFields(answer, 'data')
  checkCurrency(currency_code, currency)
  for (const name of Object.keys(others)) {
    const value = others[name]
    // JSON would call a `toJSON`, which would write what was not checked.
    if (typeof value === 'function') throw wrongAnswer(`data.${name.slice(0, 50)}`, 'is a function')
    if (name.endsWith('_cents')) checkCents(value, `data.${name.slice(0, 50)}`, 0)
  }
  const hasCents = Object.keys(others).some((name) => name.endsWith('_cents'))
  if (!hasCents) throw wrongAnswer('data.unit_amount_cents', 'is missing')
  return { ...readOthers(others), ...readMetadata(metadata) }
}

function readOthers(others: Fields): Fields {
  try {
    return JSON.parse(JSON.stringify(others))
  } catch {
    throw wrongAnswer('data', 'cannot be written as JSON')
  }
}
