/**
 * The catalog: every topic that a webhook can subscribe to, by resource. A topic is written `{resource}.{event}`, e.g.
 * `orders.place`. Source: the webhook form of Commerce Layer's dashboard (August 2026), 43 resources and 186 topics.
 *
 * Commerce Layer adds topics over time. A topic that is missing here is received and dispatched too, with a loose type.
 *
 * @example
 * TOPICS.shipments // ['cancel', 'deliver', 'on_hold', …]
 */
export const TOPICS = {
  addresses: ['tagged'],
  authorizations: ['create', 'failed', 'succeeded'],
  avalara_accounts: ['invoice_commit_failed', 'invoice_committed', 'invoice_refund_failed', 'invoice_refunded'],
  bundles: ['tagged'],
  buy_x_pay_y_promotions: ['create', 'destroy', 'tagged'],
  captures: ['create', 'failed', 'succeeded'],
  cleanups: ['complete', 'create', 'destroy', 'interrupt', 'start'],
  coupons: ['tagged'],
  customer_addresses: ['create', 'destroy'],
  customer_password_resets: ['create', 'destroy', 'reset_password'],
  customer_subscriptions: ['create', 'destroy'],
  customers: [
    'acquired',
    'anonymization_cancelled',
    'anonymization_completed',
    'anonymization_failed',
    'anonymization_started',
    'create',
    'create_password',
    'destroy',
    'metadata_update',
    'repeat',
    'tagged',
  ],
  exports: ['complete', 'create', 'destroy', 'interrupt', 'start'],
  external_promotions: ['create', 'destroy', 'failed', 'tagged'],
  fixed_amount_promotions: ['create', 'destroy', 'tagged'],
  fixed_price_promotions: ['create', 'destroy', 'tagged'],
  flex_promotions: ['create', 'destroy', 'tagged'],
  free_gift_promotions: ['create', 'destroy', 'tagged'],
  free_shipping_promotions: ['create', 'destroy', 'tagged'],
  gift_cards: ['activate', 'create', 'deactivate', 'destroy', 'purchase', 'redeem', 'tagged', 'use'],
  imports: ['complete', 'create', 'destroy', 'interrupt', 'start'],
  in_stock_subscriptions: ['activate', 'create', 'deactivate', 'destroy', 'notify'],
  line_item_options: ['tagged'],
  line_items: ['tagged'],
  order_copies: ['complete', 'create', 'destroy', 'fail', 'start'],
  order_subscriptions: [
    'activate',
    'cancel',
    'create',
    'deactivate',
    'destroy',
    'last_run_failed',
    'last_run_succeeded',
    'renewal',
  ],
  orders: [
    'approve',
    'authorize',
    'cancel',
    'cancel_fulfilling',
    'cancel_subscriptions',
    'create',
    'create_subscriptions',
    'destroy',
    'draft',
    'fulfill',
    'pay',
    'pending',
    'place',
    'placing',
    'rebuild_shipments',
    'refund',
    'start_editing',
    'start_fulfilling',
    'stop_editing',
    'tagged',
    'tax_calculation_failed',
    'void',
  ],
  parcels: [
    'available_for_pickup',
    'booked',
    'cancelled',
    'create',
    'delivered',
    'destroy',
    'failure',
    'in_transit',
    'out_for_delivery',
    'pre_transit',
    'return_to_sender',
    'shipped',
  ],
  percentage_discount_promotions: ['create', 'destroy', 'tagged'],
  price_frequency_tiers: ['create', 'destroy'],
  price_list_schedulers: ['activated', 'expired'],
  price_volume_tiers: ['create', 'destroy'],
  promotions: ['create', 'destroy', 'tagged'],
  recurring_order_copies: ['complete', 'create', 'destroy', 'fail', 'start'],
  refunds: ['create', 'failed', 'succeeded'],
  returns: ['approve', 'create', 'destroy', 'pending', 'receive', 'reject', 'request', 'restock', 'ship', 'tagged'],
  shipments: ['cancel', 'deliver', 'on_hold', 'packing', 'picking', 'ready_to_ship', 'ship', 'tagged', 'upcoming'],
  shipping_weight_tiers: ['create', 'destroy'],
  sku_options: ['tagged'],
  skus: ['tagged'],
  stock_transfers: ['cancel', 'complete', 'create', 'destroy', 'in_transit', 'on_hold', 'picking', 'upcoming'],
  transactions: ['create', 'refused'],
  voids: ['create', 'failed', 'succeeded'],
} as const satisfies Record<string, readonly string[]>

/** A resource of the catalog {@link TOPICS}, e.g. `orders`. */
export type TopicResource = keyof typeof TOPICS

/** The topics of one resource: `'orders.place' | 'orders.cancel' | …` for `'orders'`. */
export type TopicOf<R extends TopicResource> = R extends TopicResource ? `${R}.${(typeof TOPICS)[R][number]}` : never

/** A topic of the catalog {@link TOPICS}, e.g. `orders.place`. */
export type Topic = TopicOf<TopicResource>

/** Families whose deliveries carry one of several concrete types: `promotions.create` may carry a `flex_promotions`. */
const POLYMORPHIC: ReadonlySet<string> = new Set([
  'promotions',
  'transactions',
  'avalara_accounts',
] satisfies TopicResource[])

/** The resource of a topic: `orders` for `orders.place`. */
export function resourceOf(topic: string): string {
  return topic.slice(0, topic.indexOf('.'))
}

/** The event of a topic: `place` for `orders.place`. */
export function eventNameOf(topic: string): string {
  return topic.slice(topic.indexOf('.') + 1)
}

/** The events of a resource in the catalog, or `undefined` for an unknown resource. */
export function eventsOf(resource: string): readonly string[] | undefined {
  return Object.hasOwn(TOPICS, resource) ? TOPICS[resource as TopicResource] : undefined
}

/** Whether the catalogue has a topic. */
export function isCatalogued(topic: string): boolean {
  return eventsOf(resourceOf(topic))?.includes(eventNameOf(topic)) ?? false
}

/** Whether a delivery of a topic may carry a resource of a type: `true` unless the catalog says otherwise. */
export function carries(topic: string, type: string): boolean {
  const resource = resourceOf(topic)
  return type === resource || POLYMORPHIC.has(resource) || eventsOf(resource) === undefined
}
