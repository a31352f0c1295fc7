import {
  type Alphabet,
  CUSTOMER_RELATIONSHIPS,
  customerAttributes,
  LINE_ITEM_RELATIONSHIPS,
  lineItemAttributes,
  ORDER_RELATIONSHIPS,
  orderAttributes,
  shipmentAttributes,
  stockLineItemAttributes,
  textsIn,
} from './attributes.ts'

export interface PayloadOptions {
  /**
   * Items in `included`: a customer, and line items for the rest; with `cycles: 'everywhere'` a shipment too, and half
   * of the line items are its stock line items.
   */
  readonly included: number
  /** Which resources refer back: none, each line item to the order, or included resources to one another, too. */
  readonly cycles: 'none' | 'order' | 'everywhere'
  readonly alphabet: Alphabet
  /** Leaves out most attributes and relationships: no real order is as small as 2 KB. */
  readonly slim?: boolean
  /** Bytes of further `metadata` on the order, in short entries, to hit a size. */
  readonly fill?: number
}

type Fields = Record<string, unknown>

/**
 * The bytes of an order as Commerce Layer writes it, of about `size` bytes: customer and line items included, with
 * cycles.
 */
export function orderOfSize(size: number, alphabet: Alphabet): Buffer {
  const slim = size < 8_000
  const bytesFor = (included: number, fill = 0) => orderBytes({ included, cycles: 'order', alphabet, slim, fill })
  let included = 2
  while (bytesFor(included + 1).length <= size) included += 1
  return bytesFor(included, Math.max(0, size - bytesFor(included).length))
}

export function orderBytes(options: PayloadOptions): Buffer {
  return Buffer.from(wireJson(orderDocument(options)))
}

/** `*_float` attributes have a decimal point on the wire, `20.0`: the sender's serializer is Ruby's. */
function wireJson(document: unknown): string {
  return JSON.stringify(document).replace(/(_float":-?\d+)(?=[,}])/g, '$1.0')
}

const ORDER = { type: 'orders', id: idOf(0) }
const CUSTOMER = { type: 'customers', id: idOf(1) }
const SHIPMENT = { type: 'shipments', id: idOf(2) }

function orderDocument({ included, cycles, alphabet, slim = false, fill = 0 }: PayloadOptions): Fields {
  const texts = textsIn(alphabet)
  const trim = (attributes: Fields, count: number) =>
    slim ? Object.fromEntries(Object.entries(attributes).slice(0, count)) : attributes
  const bare = (names: readonly string[], { type, id }: Identifier) => (slim ? {} : linksOnly(names, `${type}/${id}`))
  const stocked = cycles === 'everywhere' ? Math.floor((included - 2) / 2) : 0
  const lines = identifiers('line_items', included - 1 - (stocked && stocked + 1))
  const stockLines = identifiers('stock_line_items', stocked)
  const order = resource(ORDER, trim(orderAttributes(texts, fill), 17), {
    ...bare(ORDER_RELATIONSHIPS, ORDER),
    customer: { data: CUSTOMER },
    line_items: { data: lines },
    ...(stocked && { shipments: { data: [SHIPMENT] } }),
  })
  const customer = resource(CUSTOMER, trim(customerAttributes(texts), 6), bare(CUSTOMER_RELATIONSHIPS, CUSTOMER))
  const lineItems = lines.map((line, index) =>
    resource(line, trim(lineItemAttributes(texts, index), 11), {
      ...bare(LINE_ITEM_RELATIONSHIPS, line),
      ...(cycles !== 'none' && { order: { data: ORDER } }),
      ...(stocked && { stock_line_items: { data: stockLines.slice(index, index + 1) } }),
    }),
  )
  const shipments = stocked ? [resource(SHIPMENT, shipmentAttributes(texts), shipped(stockLines))] : []
  const stockLineItems = stockLines.map((stockLine, index) =>
    resource(stockLine, stockLineItemAttributes(texts, index), {
      shipment: { data: SHIPMENT },
      line_item: { data: lines[index] },
    }),
  )
  return { data: order, included: [customer, ...lineItems, ...shipments, ...stockLineItems] }
}

function shipped(stockLines: readonly Identifier[]): Fields {
  return { order: { data: ORDER }, stock_line_items: { data: stockLines } }
}

interface Identifier {
  readonly type: string
  readonly id: string
}

function identifiers(type: string, count: number): Identifier[] {
  return Array.from({ length: count }, (_, index) => ({ type, id: idOf(index + 3) }))
}

function resource({ type, id }: Identifier, attributes: Fields, relationships: Fields): Fields {
  const links = { self: `/api/${type}/${id}` }
  return { id, type, links, attributes, relationships, meta: { mode: 'test', organization_id: 'wRPpEFOElR' } }
}

function linksOnly(names: readonly string[], path: string): Fields {
  const links = (name: string) => ({ self: `/api/${path}/relationships/${name}`, related: `/api/${path}/${name}` })
  return Object.fromEntries(names.map((name) => [name, { links: links(name) }]))
}

/** Ten letters, as in the ids of Commerce Layer. */
function idOf(number: number): string {
  let rest = number + 1
  return Array.from({ length: 10 }, () => {
    rest = (rest * 48_271) % 2_147_483_647
    return 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'.charAt(rest % 52)
  }).join('')
}
