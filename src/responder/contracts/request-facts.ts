/** A line of the order of a request, as it was before the handler had it. */
export interface Line {
  readonly cents: number | undefined
  /** The amount in units of the currency, with its decimals. */
  readonly units: number | undefined
  /** Whether it is sold: a SKU or a bundle, and no gift card, shipment or fee. */
  readonly isSold: boolean
}

/** What an answer is checked against. */
export interface RequestFacts {
  readonly currency: string | undefined
  /** By id; `undefined` if the request does not include its lines. */
  readonly lines: ReadonlyMap<string, Line> | undefined
  readonly subtotalCents: number | undefined
  readonly skuCode: string | undefined
  readonly bundleCode: string | undefined
}

type Resource = Readonly<Record<string, unknown>>

/** Reads what answers are checked against. Nothing of a request is certain but `id` and `type`. */
export function readRequestFacts(resource: object): RequestFacts {
  const { currency_code, order, line_items, subtotal_amount_cents, sku_code, bundle_code } = resource as Resource
  return {
    currency: toText(currency_code) ?? toText((Object(order) as Resource).currency_code),
    lines: Array.isArray(line_items) ? new Map(line_items.map(toEntry)) : undefined,
    subtotalCents: toNumber(subtotal_amount_cents),
    skuCode: toText(sku_code),
    bundleCode: toText(bundle_code),
  }
}

function toEntry(line: unknown): [id: string, line: Line] {
  const { id, item_type, total_amount_cents, total_amount_float } = Object(line) as Resource
  const cents = toNumber(total_amount_cents)
  const units = toNumber(total_amount_float) ?? (cents === undefined ? undefined : cents / 100)
  return [String(id), { cents, units, isSold: item_type === 'skus' || item_type === 'bundles' }]
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function toNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
