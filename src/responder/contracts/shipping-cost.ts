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
  const cents = Object.keys(others).filter((name) => name.endsWith('_cents'))
  if (cents.length === 0) throw wrongAnswer('data.unit_amount_cents', 'is missing')
  for (const name of cents) checkCents(others[name], `data.${name}`, 0)
  return { ...readOthers(others), ...readMetadata(metadata) }
}

function readOthers(others: Fields): Fields {
  try {
    return JSON.parse(JSON.stringify(others))
  } catch {
    throw wrongAnswer('data', 'cannot be written as JSON')
  }
}
