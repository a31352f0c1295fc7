/**
 * For orders the list of Commerce Layer's dashboard, with items and back references added, so that tests have cycles.
 */
const USUAL_INCLUDES: Readonly<Record<string, readonly string[]>> = {
  authorizations: ['order', 'payment_source'],
  avalara_accounts: ['markets'],
  bundles: ['skus'],
  captures: ['order', 'payment_source', 'reference_authorization'],
  coupons: ['promotion_rule'],
  customer_addresses: ['customer', 'address'],
  customer_password_resets: ['customer'],
  customer_subscriptions: ['customer'],
  customers: ['customer_addresses.address', 'customer_group'],
  flex_promotions: [],
  gift_cards: ['gift_card_recipient', 'market'],
  in_stock_subscriptions: ['customer', 'sku'],
  line_item_options: ['line_item', 'sku_option'],
  line_items: ['order', 'item', 'line_item_options'],
  order_copies: ['source_order', 'target_order'],
  order_subscriptions: ['customer', 'market', 'order_subscription_items', 'source_order'],
  orders: [
    'customer',
    'shipping_address',
    'billing_address',
    'payment_method',
    'payment_source',
    'line_items.item',
    'line_items.line_item_options',
    'line_items.order',
    'shipments.order',
    'shipments.parcels',
    'shipments.shipping_method',
    'shipments.stock_location',
    'authorizations',
    'captures',
    'voids',
    'refunds',
    'transactions',
  ],
  parcels: ['package', 'parcel_line_items', 'shipment.order'],
  price_frequency_tiers: ['price'],
  price_list_schedulers: ['market', 'price_list'],
  price_volume_tiers: ['price'],
  recurring_order_copies: ['order_subscription', 'source_order', 'target_order'],
  refunds: ['order', 'payment_source', 'reference_capture'],
  returns: ['customer', 'order', 'return_line_items.line_item', 'stock_location'],
  shipments: ['order', 'parcels', 'shipping_address', 'shipping_method', 'stock_line_items.sku', 'stock_location'],
  shipping_weight_tiers: ['shipping_method'],
  skus: ['prices'],
  stock_transfers: ['destination_stock_location', 'origin_stock_location', 'sku'],
  voids: ['order', 'payment_source', 'reference_authorization'],
}

/** The default includes of a sample. A promotion includes its market, and most types include nothing. */
export function getUsualIncludes(type: string): readonly string[] {
  const includes = Object.hasOwn(USUAL_INCLUDES, type) ? USUAL_INCLUDES[type] : undefined
  return includes ?? (type.endsWith('_promotions') ? ['market'] : [])
}
