import type { Resource } from '../schema.ts'
import { amount } from './amount.ts'
import type { Make } from './make.ts'

const PLACED_AT = '2024-02-21T16:37:09.750Z'

/** The order of the samples unless an event says otherwise: approved, paid, and not yet sent. */
const APPROVED = {
  status: 'approved',
  payment_status: 'paid',
  editable: false,
  placed_at: PLACED_AT,
  approved_at: PLACED_AT,
  payment_updated_at: PLACED_AT,
}

const CAP = { code: 'CAPMM000000FFFFFFXLXX', name: 'Black Cap with White Logo', hs_tariff_number: '6505.00.3045' }

const SHIPMENT_STATUS: Readonly<Record<string, string>> = { fulfilled: 'shipped', in_progress: 'picking' }

/**
 * An order of 57 euros: two SKUs (2 × 15 and 20), 10 % off, 12 for the shipment; 22 % tax included. Everything that belongs
 * to it points back at the very same object.
 */
export function makeSampleOrder(make: Make, fields: Readonly<Record<string, unknown>> = {}): Resource {
  const order = make('orders', { ...APPROVED, ...fields })
  order.customer = make('customers', { status: 'acquired', total_orders_count: 1 })
  order.shipping_address = make('addresses')
  order.billing_address = make('addresses', { billing_info: 'VAT ID IT02382940977' })
  const shirts = makeSkuLine(make, order, make('skus'), 2, 1500)
  const cap = makeSkuLine(make, order, make('skus', CAP), 1, 2000)
  addOption(make, order, shirts)
  const skuLines = [shirts, cap]
  const shipment = makeShipment(make, order, skuLines)
  order.line_items = [...skuLines, ...makeOtherLines(make, order, shipment)]
  order.shipments = [shipment]
  addPayment(make, order)
  return order
}

function makeSkuLine(make: Make, order: Resource, sku: Resource, quantity: number, cents: number): Resource {
  const total = quantity * cents
  return make('line_items', {
    sku_code: sku.code,
    name: sku.name,
    quantity,
    ...amount('unit_amount', cents),
    ...amount('compare_at_amount', cents + 500),
    ...amount('options_amount', 0),
    ...amount('discount', -total / 10),
    ...amount('total_amount', total),
    ...amount('tax_amount', taxWithin(total)),
    order,
    item: sku,
    sku,
    line_item_options: [],
  })
}

function taxWithin(cents: number): number {
  return cents - Math.round(cents / 1.22)
}

function addOption(make: Make, order: Resource, line: Resource): void {
  const free = { ...amount('unit_amount', 0), ...amount('total_amount', 0) }
  const option = make('line_item_options', {
    ...free,
    quantity: line.quantity,
    line_item: line,
    sku_option: make('sku_options'),
  })
  line.line_item_options = [option]
  order.line_item_options = [option]
}

/** What an order lists beside its SKUs: a line each for the shipment, the payment method and the promotion. */
function makeOtherLines(make: Make, order: Resource, shipment: Resource): Resource[] {
  order.payment_method = make('payment_methods')
  const line = (item: unknown, type: string, name: string, cents: number): Resource =>
    make('line_items', {
      sku_code: null,
      image_url: null,
      quantity: 1,
      name,
      item_type: type,
      ...amount('unit_amount', cents),
      ...amount('compare_at_amount', 0),
      ...amount('options_amount', 0),
      ...amount('discount', 0),
      ...amount('total_amount', cents),
      ...amount('tax_amount', Math.max(taxWithin(cents), 0)),
      order,
      item,
      line_item_options: [],
    })
  return [
    line(shipment, 'shipments', 'Standard shipping', 1200),
    line(order.payment_method, 'payment_methods', 'Stripe Payment', 0),
    line(make('percentage_discount_promotions'), 'percentage_discount_promotions', 'Personal promotion', -500),
  ]
}

function makeShipment(make: Make, order: Resource, lines: readonly Resource[]): Resource {
  const status = order.placed_at === null ? 'draft' : (SHIPMENT_STATUS[String(order.fulfillment_status)] ?? 'upcoming')
  const shipment = make('shipments', { status, ...amount('cost_amount', 1000), skus_count: 2, order })
  const parcel = make('parcels', { shipment, package: make('packages') })
  const stockLines = lines.map((line) => {
    const { sku_code, name, quantity, item: sku } = line
    return make('stock_line_items', { sku_code, name, quantity, shipment, line_item: line, sku })
  })
  parcel.parcel_line_items = stockLines.map((stock_line_item) => {
    const { sku_code, name, quantity } = stock_line_item
    return make('parcel_line_items', { sku_code, name, quantity, parcel, stock_line_item })
  })
  return Object.assign(shipment, {
    stock_location: make('stock_locations'),
    shipping_address: order.shipping_address,
    shipping_method: make('shipping_methods'),
    stock_line_items: stockLines,
    line_items: lines,
    parcels: [parcel],
  })
}

/** The transactions that led to the order's payment status, and the payment they were made with. */
function addPayment(make: Make, order: Resource): void {
  const payment_source = make('stripe_payments', { order })
  const transact = (type: string, fields: Record<string, unknown> = {}): Resource =>
    make(type, { ...amount('amount', 5700), order, payment_source, ...fields })
  const status = String(order.payment_status)
  const isPaid = ['paid', 'refunded'].includes(status)
  const balance = { ...amount('capture_amount', isPaid ? 5700 : 0), ...amount('capture_balance', isPaid ? 0 : 5700) }
  const authorization = transact('authorizations', { ...balance, ...amount('void_balance', isPaid ? 0 : 5700) })
  const refunded = status === 'refunded' ? 5700 : 0
  const refunds = { ...amount('refund_amount', refunded), ...amount('refund_balance', 5700 - refunded) }
  const capture = transact('captures', { ...refunds, reference_authorization: authorization })
  const lists = {
    authorizations: status === 'unpaid' ? [] : [authorization],
    captures: isPaid ? [capture] : [],
    voids: status === 'voided' ? [transact('voids', { reference_authorization: authorization })] : [],
    refunds: refunded > 0 ? [transact('refunds', { reference_capture: capture })] : [],
  }
  authorization.captures = lists.captures
  authorization.voids = lists.voids
  capture.refunds = lists.refunds
  Object.assign(order, lists, { payment_source, transactions: Object.values(lists).flat() })
}
