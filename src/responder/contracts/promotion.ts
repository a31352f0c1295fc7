import { checkCents, checkCurrency, checkText, type Fields, readFields, readMetadata, wrongAnswer } from './fields.ts'
import { pathOfField, readLineItems } from './line-items.ts'
import type { RequestFacts } from './request-facts.ts'

interface PromotionFields {
  /** What the customer reads. */
  readonly name: string
  /** Is checked against the request, and not sent. */
  readonly currency_code?: string | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
}

/** A discount of the whole order. Source: Commerce Layer, "External promotions". */
export interface OrderPromotion extends PromotionFields {
  /** In cents, over 0, and not over the subtotal. */
  readonly discount_cents: number
  readonly line_items?: undefined
}

/** A discount that is spread over some lines. */
export interface SpreadPromotion extends PromotionFields {
  /** In cents, over 0, and not over the amount of these lines. */
  readonly discount_cents: number
  readonly line_items: readonly { readonly id: string; readonly discount_cents?: undefined }[]
}

/** A discount for each of some lines. The others get none. */
export interface LinePromotion extends PromotionFields {
  readonly discount_cents?: undefined
  /** In cents, over 0, and not over the amount of the line. */
  readonly line_items: readonly { readonly id: string; readonly discount_cents: number }[]
}

/**
 * The discount of an order: of the whole order, spread over some lines, or for each of some lines. Where there is none,
 * refuse. The names of the fields of lines are inferred from the text.
 */
export type PromotionAnswer = OrderPromotion | SpreadPromotion | LinePromotion

const FIELDS = ['name', 'discount_cents', 'line_items', 'currency_code', 'metadata']

export function writePromotion(answer: unknown, facts: RequestFacts): Fields {
  const { name, discount_cents, line_items, currency_code, metadata } = readFields(answer, 'data', FIELDS)
  checkText(name, 'data.name')
  checkCurrency(currency_code, facts.currency)
  const discount =
    line_items === undefined ? discountOrder(discount_cents, facts) : discountLines(discount_cents, line_items, facts)
  return { name, ...discount, ...readMetadata(metadata) }
}

function discountOrder(discount_cents: unknown, { subtotalCents }: RequestFacts): Fields {
  checkCents(discount_cents, 'data.discount_cents', 1, subtotalCents)
  return { discount_cents }
}

/** Each line has a discount of its own, or none has and there is one for all. */
function discountLines(discount_cents: unknown, line_items: unknown, facts: RequestFacts): Fields {
  const lines = readLineItems(line_items, facts, ['id', 'discount_cents'])
  const isSpread = discount_cents !== undefined
  for (const answered of lines) {
    const { fields, line } = answered
    const path = pathOfField(answered, 'discount_cents')
    if (isSpread && fields.discount_cents !== undefined) throw wrongAnswer(path, 'is there besides one for all lines')
    if (!isSpread) checkCents(fields.discount_cents, path, 1, line.cents)
  }
  const written = lines.map(({ fields }) => fields)
  if (!isSpread) return { line_items: written }
  const amounts = lines.flatMap(({ line }) => line.cents ?? [])
  const most = amounts.length === lines.length ? amounts.reduce((sum, cents) => sum + cents, 0) : undefined
  checkCents(discount_cents, 'data.discount_cents', 1, most)
  return { discount_cents, line_items: written }
}
