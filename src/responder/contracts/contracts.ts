import type { ExternalResourceKind } from '../../commerce-layer/external-resources.ts'
import type { Fields } from './fields.ts'
import { type OrderValidationAnswer, writeOrderValidation } from './order-validation.ts'
import { type PricesAnswer, writePrices } from './prices.ts'
import { type PromotionAnswer, writePromotion } from './promotion.ts'
import type { RequestFacts } from './request-facts.ts'
import { type ShippingCostAnswer, writeShippingCost } from './shipping-cost.ts'
import { type TaxAnswer, writeTax } from './tax.ts'

interface Answers extends Record<ExternalResourceKind, object> {
  prices: PricesAnswer
  'order-validation': OrderValidationAnswer
  'shipping-cost': ShippingCostAnswer
  promotion: PromotionAnswer
  tax: TaxAnswer
}

/** What the handler of a kind gives: the `data` of the answer. Amounts are in cents, but for taxes. */
export type ResponderAnswer<K extends ExternalResourceKind> = Answers[K]

interface Contract {
  /** Names the kind in events and in the log, as a topic does for a webhook. Its resource is that of the request. */
  readonly topic: string
  /**
   * Checks an answer against its request, and gives its `data`.
   *
   * @throws WebhookError `INTERNAL_ERROR`, with the path in its hint.
   */
  write(answer: unknown, facts: RequestFacts): Fields
}

export const CONTRACTS: Readonly<Record<ExternalResourceKind, Contract>> = {
  prices: { topic: 'line_items.external_prices', write: writePrices },
  'order-validation': { topic: 'orders.external_order_validation', write: writeOrderValidation },
  'shipping-cost': { topic: 'shipments.external_shipping_cost', write: writeShippingCost },
  promotion: { topic: 'orders.external_promotion', write: writePromotion },
  tax: { topic: 'orders.external_tax', write: writeTax },
}
