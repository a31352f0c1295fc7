/** The topics whose samples are in the state in which Commerce Layer asks for each kind of external resource. */
export const EXTERNAL_SAMPLE_TOPICS = {
  prices: 'line_items.tagged',
  'order-validation': 'orders.pending',
  'shipping-cost': 'shipments.upcoming',
  promotion: 'orders.pending',
  tax: 'orders.pending',
} as const
