/** What Commerce Layer asks a shop for while it handles a request of its API, and waits for. */
interface ExternalResource {
  /** The type of the resource that the request carries. */
  readonly type: string
  /** The relationships that the request includes, unless `external_includes` of the holder names others. */
  readonly includes: readonly string[]
}

/**
 * The external resources by kind. Requests have no topic header: the URL alone says what is asked for.
 *
 * @see https://docs.commercelayer.io/core/external-resources the pages of each kind, 2024. The `order` of shipments is
 * on the newest page only.
 */
export const EXTERNAL_RESOURCES = {
  prices: {
    type: 'line_items',
    includes: ['order', 'order.customer', 'order.customer.tags', 'order.line_items', 'order.market', 'item'],
  },
  'order-validation': {
    type: 'orders',
    includes: ['billing_address', 'shipping_address', 'line_items', 'line_items.item', 'market', 'customer'],
  },
  'shipping-cost': { type: 'shipments', includes: ['shipping_method', 'order'] },
  promotion: {
    type: 'orders',
    includes: [
      'market',
      'customer',
      'customer.tags',
      'line_items',
      'line_items.item',
      'shipping_address',
      'billing_address',
    ],
  },
  tax: {
    type: 'orders',
    includes: ['market', 'line_items', 'line_items.item', 'shipping_address', 'billing_address'],
  },
} as const satisfies Readonly<Record<string, ExternalResource>>

/** What Commerce Layer asks for. */
export type ExternalResourceKind = keyof typeof EXTERNAL_RESOURCES

export function isExternalResourceKind(kind: unknown): kind is ExternalResourceKind {
  return typeof kind === 'string' && Object.hasOwn(EXTERNAL_RESOURCES, kind)
}

/** The resource that has the URL and the shared secret of a kind. */
interface ExternalHolder {
  readonly type: 'markets' | 'shipping_methods' | 'external_promotions' | 'external_tax_calculators'
  /** The attribute that has the URL. */
  readonly urlAttribute: string
}

/** The holders by kind. Source: the types of the SDK 7.12. */
export const EXTERNAL_HOLDERS = {
  prices: { type: 'markets', urlAttribute: 'external_prices_url' },
  'order-validation': { type: 'markets', urlAttribute: 'external_order_validation_url' },
  'shipping-cost': { type: 'shipping_methods', urlAttribute: 'external_prices_url' },
  promotion: { type: 'external_promotions', urlAttribute: 'promotion_url' },
  tax: { type: 'external_tax_calculators', urlAttribute: 'tax_calculator_url' },
} as const satisfies Readonly<Record<ExternalResourceKind, ExternalHolder>>
