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
