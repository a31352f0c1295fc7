import type { Handler } from '../../src/index.ts'
import type { TOPIC } from './signed.ts'

/** Reads what a typical handler reads: the customer's address and every line item. */
export const readOrder: Handler<typeof TOPIC> = ({ resource: order }) => {
  let read = order.customer?.email?.length ?? 0
  for (const { sku_code, quantity } of order.line_items ?? []) read += (sku_code?.length ?? 0) + quantity
  if (read === 0) throw new Error('There was nothing to read.')
}
