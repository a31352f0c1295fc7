import { EXAMPLE_TIME, type Resource } from '../schema.ts'
import { toAmountFields } from './amount.ts'
import type { ResourceFactory } from './make.ts'
import { computeIncludedTax } from './reconcile.ts'

/** The default state of a sample order: approved, paid, and not yet shipped. */
const APPROVED = {
  status: 'approved',
  payment_status: 'paid',
  editable: false,
  placed_at: EXAMPLE_TIME,
  approved_at: EXAMPLE_TIME,
  payment_updated_at: EXAMPLE_TIME,
}

const CAP = { code: 'CAPMM000000FFFFFFXLXX', name: 'Black Cap with White Logo', hs_tariff_number: '6505.00.3045' }

const SHIPMENT_STATUS: Readonly<Record<string, string>> = { fulfilled: 'shipped', in_progress: 'picking' }

/**
 * Makes an order of 57 euros: two SKUs (2 × 15 and 1 × 20), a discount of 10 %, and 12 for the shipment. 22 % tax is
 * included. Every part of the order links back to the same order object.
 */
export function makeSampleOrder(make: ResourceFactory, fields: Readonly<Record<string, unknown>> = {}): Resource {
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

function makeSkuLine(make: ResourceFactory, order: Resource, sku: Resource, quantity: number, cents: number): Resource {
  const total = quantity * cents
  return make('line_items', {
    sku_code: sku.code,
    name: sku.name,
    quantity,
    ...toAmountFields('unit_amount', cents),
    ...toAmountFields('compare_at_amount', cents + 500),
    ...toAmountFields('options_amount', 0),
    ...toAmountFields('discount', -total / 10),
    ...toAmountFields('total_amount', total),
    ...toAmountFields('tax_amount', computeIncludedTax(total)),
    order,
    item: sku,
    sku,
    line_item_options: [],
  })
}

function addOption(make: ResourceFactory, order: Resource, line: Resource): void {
  const free = { ...toAmountFields('unit_amount', 0), ...toAmountFields('total_amount', 0) }
  const option = make('line_item_options', {
    ...free,
    quantity: line.quantity,
    line_item: line,
    sku_option: make('sku_options'),
  })
  line.line_item_options = [option]
  order.line_item_options = [option]
}

/** The line items that are not SKUs: one each for the shipment, the payment method and the promotion. */
function makeOtherLines(make: ResourceFactory, order: Resource, shipment: Resource): Resource[] {
  order.payment_method = make('payment_methods')
  const makeLine = (item: unknown, type: string, name: string, cents: number): Resource =>
    make('line_items', {
      sku_code: null,
      image_url: null,
      quantity: 1,
      name,
      item_type: type,
      ...toAmountFields('unit_amount', cents),
      ...toAmountFields('compare_at_amount', 0),
      ...toAmountFields('options_amount', 0),
      ...toAmountFields('discount', 0),
      ...toAmountFields('total_amount', cents),
      ...toAmountFields('tax_amount', computeIncludedTax(cents)),
      order,
      item,
      line_item_options: [],
    })
  return [
    makeLine(shipment, 'shipments', 'Standard shipping', 1200),
    makeLine(order.payment_method, 'payment_methods', 'Stripe Payment', 0),
    makeLine(make('percentage_discount_promotions'), 'percentage_discount_promotions', 'Personal promotion', -500),
  ]
}

function makeShipment(make: ResourceFactory, order: Resource, lines: readonly Resource[]): Resource {
  const status = order.placed_at === null ? 'draft' : (SHIPMENT_STATUS[String(order.fulfillment_status)] ?? 'upcoming')
  const shipment = make('shipments', { status, ...toAmountFields('cost_amount', 1000), skus_count: 2, order })
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

/** Adds the payment source, and the transactions that lead to the payment status of the order. */
function addPayment(make: ResourceFactory, order: Resource): void {
  const payment_source = make('stripe_payments', { order })
  const transact = (type: string, fields: Record<string, unknown> = {}): Resource =>
    make(type, { ...toAmountFields('amount', 5700), order, payment_source, ...fields })
  const status = String(order.payment_status)
  const isPaid = ['paid', 'refunded'].includes(status)
  const balance = {
    ...toAmountFields('capture_amount', isPaid ? 5700 : 0),
    ...toAmountFields('capture_balance', isPaid ? 0 : 5700),
  }
  const authorization = transact('authorizations', { ...balance, ...toAmountFields('void_balance', isPaid ? 0 : 5700) })
  const refunded = status === 'refunded' ? 5700 : 0
  const refunds = { ...toAmountFields('refund_amount', refunded), ...toAmountFields('refund_balance', 5700 - refunded) }
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
