import { isResource, type Resource } from '../schema.ts'
import { toAmountFields } from './amount.ts'
import { clampTimes } from './times.ts'

/** A sample after a caller has changed it. */
export interface ChangedSample {
  /** The resources that were made for the sample. Those of the caller are never written to. */
  readonly ours: ReadonlySet<Resource>
  /** The fields that the caller gave. They are never written to. */
  readonly given: ReadonlyMap<Resource, ReadonlySet<string>>
}

/** The parts of an order's total that lines of certain types add up to. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  subtotal: ['skus', 'bundles', 'gift_cards'],
  shipping: ['shipments'],
  payment_method: ['payment_methods'],
  adjustment: ['adjustments'],
}

/**
 * Makes the sample agree with what the caller has changed in it: the totals with the lines, the email of the order with
 * that of its customer, each time with those before and after it. An unchanged sample stays as it is.
 */
export function reconcile({ ours, given: changed }: ChangedSample): void {
  const given = new Map([...changed].map(([resource, names]) => [resource, new Set(names)]))
  const isGiven = (resource: Resource, name: string) => given.get(resource)?.has(name) ?? false

  function set(resource: Resource, name: string, value: unknown): void {
    if (ours.has(resource) && name in resource && !isGiven(resource, name)) resource[name] = value
  }

  /** Sets the three attributes of an amount, unless its cents were given. */
  function setAmount(resource: Resource, name: string, cents: number): void {
    const known = isGiven(resource, `${name}_cents`) ? readCents(resource, name) : cents
    for (const [field, value] of Object.entries(toAmountFields(name, known))) set(resource, field, value)
  }

  for (const [resource, names] of given) {
    for (const name of names) {
      const [, amount = '', unit] = /^(.+)_(cents|float)$/.exec(name) ?? []
      const value = resource[name]
      if (unit === undefined || typeof value !== 'number') continue
      if (unit === 'float') set(resource, `${amount}_cents`, Math.round(value * 100))
      names.add(`${amount}_cents`)
      setAmount(resource, amount, readCents(resource, amount))
    }
  }
  for (const resource of ours) {
    reconcileEmail(resource)
    if (resource.type === 'orders') reconcileOrder(resource)
    clampTimes(resource, (name) => isGiven(resource, name))
  }

  function reconcileEmail(resource: Resource): void {
    const { customer } = resource
    if (!('customer_email' in resource) || !isResource(customer)) return
    if (isGiven(resource, 'customer_email')) set(customer, 'email', resource.customer_email)
    else if (customer.email !== undefined) set(resource, 'customer_email', customer.email)
    if (isResource(resource.order)) set(resource.order, 'customer_email', resource.customer_email)
  }

  function reconcileOrder(order: Resource): void {
    const shipments = listResources(order.shipments)
    for (const shipment of shipments) {
      set(shipment, 'number', `#${order.number}/S/001`)
      for (const parcel of listResources(shipment.parcels)) set(parcel, 'number', `${shipment.number}/P/001`)
    }
    if (Array.isArray(order.line_items)) reconcileLines(order, listResources(order.line_items), shipments)
    const total = readCents(order, 'total_amount')
    setAmount(order, 'total_amount_with_taxes', total)
    setAmount(order, 'place_total_amount', total)
    for (const name of [...Object.keys(PARTS), 'total']) {
      const cents = readCents(order, `${name}_amount`)
      const tax = computeIncludedTax(cents)
      setAmount(order, `${name}_tax_amount`, tax)
      setAmount(order, `${name}_taxable_amount`, cents - tax)
    }
    reconcileTransactions(order, readCents(order, 'total_amount'))
  }

  function reconcileLines(order: Resource, lines: readonly Resource[], shipments: readonly Resource[]): void {
    const items = lines.filter(({ item_type }) => PARTS.subtotal?.includes(String(item_type)))
    for (const line of items) reconcileItem(line)
    const discount = sum(items, 'discount')
    for (const line of lines) {
      const unit = String(line.item_type).endsWith('_promotions') ? discount : readCents(line, 'unit_amount')
      setAmount(line, 'unit_amount', unit)
      setAmount(line, 'total_amount', readCents(line, 'unit_amount') * Number(line.quantity))
      setAmount(line, 'tax_amount', computeIncludedTax(readCents(line, 'total_amount')))
    }
    for (const [name, types] of Object.entries(PARTS)) {
      const part = lines.filter(({ item_type }) => types.includes(String(item_type)))
      setAmount(order, `${name}_amount`, sum(part, 'total_amount'))
    }
    const promotions = lines.filter(({ item_type }) => String(item_type).endsWith('_promotions'))
    setAmount(order, 'discount_amount', sum(promotions, 'total_amount'))
    setAmount(order, 'total_amount', sum(lines, 'total_amount'))
    for (const counted of [order, ...shipments]) set(counted, 'skus_count', items.length)
  }

  /** A line and its item have one code, and a discount of 10 %. */
  function reconcileItem(line: Resource): void {
    const { item } = line
    if (isResource(item) && 'code' in item) {
      if (isGiven(line, 'sku_code')) set(item, 'code', line.sku_code)
      else set(line, 'sku_code', item.code)
      if (isGiven(line, 'name')) set(item, 'name', line.name)
      else set(line, 'name', item.name)
    }
    const unit = readCents(line, 'unit_amount')
    setAmount(line, 'compare_at_amount', unit + 500)
    setAmount(line, 'discount', -Math.round((unit * Number(line.quantity)) / 10))
    for (const option of listResources(line.line_item_options)) set(option, 'quantity', line.quantity)
  }

  /** The amounts that {@link makeSampleOrder} gives them, for another total. */
  function reconcileTransactions(order: Resource, total: number): void {
    const isPaid = ['paid', 'refunded'].includes(String(order.payment_status))
    const refunded = order.payment_status === 'refunded' ? total : 0
    const transactions = ['transactions', 'authorizations', 'captures', 'voids', 'refunds']
    for (const transaction of new Set(transactions.flatMap((name) => listResources(order[name])))) {
      setAmount(transaction, 'amount', total)
      setAmount(transaction, 'capture_amount', isPaid ? total : 0)
      setAmount(transaction, 'capture_balance', isPaid ? 0 : total)
      setAmount(transaction, 'void_balance', isPaid ? 0 : total)
      setAmount(transaction, 'refund_amount', refunded)
      setAmount(transaction, 'refund_balance', total - refunded)
    }
  }
}

/** 22 % tax is included. A negative amount has none. */
export function computeIncludedTax(cents: number): number {
  return Math.max(cents - Math.round(cents / 1.22), 0)
}

function readCents(resource: Resource, name: string): number {
  const cents = resource[`${name}_cents`]
  return typeof cents === 'number' ? cents : 0
}

function sum(resources: readonly Resource[], name: string): number {
  return resources.reduce((total, resource) => total + readCents(resource, name), 0)
}

function listResources(value: unknown): readonly Resource[] {
  return Array.isArray(value) ? value.filter(isResource) : []
}
