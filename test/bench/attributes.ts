/** The alphabet of a payload's texts: dollars and plain names, or euros, accents, CJK and an emoji. */
export type Alphabet = 'ascii' | 'non-ascii'

type Fields = Record<string, unknown>

const ASCII = {
  currency: 'USD',
  sign: '$',
  person: 'Jane Roe',
  item: 'Black T-shirt with White Logo',
  note: 'a gift, to be wrapped in blue paper',
}
const NON_ASCII: typeof ASCII = {
  currency: 'EUR',
  sign: '€',
  person: 'Zoë Müller-Łukasik',
  item: 'Camicia però d’été 白いロゴ',
  note: 'für Chloé 🎁, bitte in blaues Papier',
}
/** The texts of a payload, in one alphabet. */
export type Texts = typeof ASCII

export function textsIn(alphabet: Alphabet): Texts {
  return alphabet === 'ascii' ? ASCII : NON_ASCII
}

function money(name: string, cents: number, { sign }: Texts): Fields {
  return {
    [`${name}_cents`]: cents,
    [`${name}_float`]: cents / 100,
    [`formatted_${name}`]: `${sign}${(cents / 100).toFixed(2)}`,
  }
}

const AT = '2024-02-21T16:37:09.750Z'
const ORIGIN = { updated_at: AT, reference: null, reference_origin: null }

/** A slim order has the first few of these only. */
export function orderAttributes(texts: Texts, fill: number): Fields {
  return {
    number: '40115417',
    status: 'placed',
    payment_status: 'authorized',
    fulfillment_status: 'unfulfilled',
    customer_email: 'jane.roe@example.com',
    language_code: 'en',
    currency_code: texts.currency,
    country_code: 'US',
    guest: false,
    tax_rate: 0.22,
    ...money('total_amount', 12_000, texts),
    skus_count: 3,
    placed_at: AT,
    created_at: AT,
    metadata: { buyer: texts.person, note: texts.note, ...filler(fill, texts) },
    ...Object.assign({}, ...AMOUNTS.map((name, index) => money(name, 1_000 * (index % 7) + 50 * (index % 3), texts))),
    autorefresh: true,
    place_async: false,
    editable: false,
    affiliate_code: null,
    customer_type: 'returning',
    tax_included: true,
    freight_taxable: true,
    payment_method_taxable: null,
    requires_billing_info: false,
    shipping_country_code_lock: 'US',
    coupon_code: 'SUMMER-04371af2-70b3-48d7-8f4e-316b374224c3',
    gift_card_code: null,
    line_items_count: 5,
    shipments_count: 1,
    payment_source_details: { type: 'stripe_payments', payment_method: { brand: 'visa', last4: '4242', exp_month: 7 } },
    token: '1c0994cc4e996e8c6ee56a2198f66f3c',
    cart_url: 'https://shop.example.com/cart/1c0994cc4e996e8c6ee56a2198f66f3c',
    return_url: 'https://shop.example.com/thanks',
    privacy_url: 'https://shop.example.com/privacy',
    checkout_url: 'https://acme.checkout.commercelayer.app/1c0994cc4e996e8c6ee56a2198f66f3c',
    approved_at: null,
    cancelled_at: null,
    payment_updated_at: AT,
    fulfillment_updated_at: null,
    refreshed_at: AT,
    expires_at: null,
    ...ORIGIN,
  }
}

const AMOUNTS = [
  'subtotal_amount',
  'shipping_amount',
  'payment_method_amount',
  'discount_amount',
  'adjustment_amount',
  'gift_card_amount',
  'total_tax_amount',
  'subtotal_tax_amount',
  'shipping_tax_amount',
  'total_taxable_amount',
  'subtotal_taxable_amount',
  'total_amount_with_taxes',
  'fees_amount',
  'duty_amount',
]

export const ORDER_RELATIONSHIPS =
  'market shipping_address billing_address payment_method payment_source line_items shipments transactions captures events'.split(
    ' ',
  )

export function customerAttributes({ person }: Texts): Fields {
  return {
    email: 'jane.roe@example.com',
    status: 'repeat',
    has_password: true,
    total_orders_count: 6,
    metadata: { name: person },
    created_at: AT,
    shopper_reference: 'xxx-yyyy-zzz',
    profile_id: 'xxx-yyyy-zzz',
    tax_exemption_code: null,
    anonymization_info: null,
    anonymization_status: null,
    ...ORIGIN,
  }
}

export const CUSTOMER_RELATIONSHIPS = ['customer_group', 'customer_addresses', 'orders', 'events', 'tags']

export function lineItemAttributes(texts: Texts, index: number): Fields {
  const quantity = 1 + (index % 4)
  return {
    sku_code: `TSHIRTMM000000FFFFFF${String(index).padStart(4, '0')}`,
    name: texts.item,
    quantity,
    item_type: 'skus',
    currency_code: texts.currency,
    ...money('unit_amount', 1_500, texts),
    ...money('total_amount', 1_500 * quantity, texts),
    bundle_code: null,
    image_url: `https://img.example.com/skus/tshirt-${index}.png`,
    ...money('compare_at_amount', 2_000, texts),
    ...money('options_amount', 0, texts),
    ...money('discount', 0, texts),
    ...money('tax_amount', 271 * quantity, texts),
    tax_rate: 0.22,
    tax_breakdown: { id: '1234', city_amount: '0.0', state_amount: 6.6, city_tax_rate: 0.0 },
    discount_breakdown: { TRANSPORT: { cents: 0, weight: 0.25 } },
    frequency: null,
    external_price: false,
    circuit_state: 'closed',
    circuit_failure_count: 0,
    coupon_code: null,
    metadata: { engraving: texts.note, gift: index % 2 === 0 },
    created_at: AT,
    ...ORIGIN,
  }
}

export const LINE_ITEM_RELATIONSHIPS =
  'item sku line_item_options return_line_items stock_reservations stock_line_items stock_transfers notifications events'.split(
    ' ',
  )

export function shipmentAttributes(texts: Texts): Fields {
  return {
    number: '40115417/S/0001',
    status: 'picking',
    currency_code: texts.currency,
    ...money('cost_amount', 1_000, texts),
    skus_count: 2,
    picking_started_at: AT,
    created_at: AT,
    metadata: {},
    ...ORIGIN,
  }
}

export function stockLineItemAttributes({ item, note }: Texts, index: number): Fields {
  return {
    sku_code: `TSHIRTMM000000FFFFFF${String(index).padStart(4, '0')}`,
    name: item,
    image_url: `https://img.example.com/skus/tshirt-${index}.png`,
    quantity: 1 + (index % 4),
    created_at: AT,
    metadata: { note },
    ...ORIGIN,
  }
}

/** Short entries: one long text would be parsed faster than the real fields that it stands for. */
function filler(bytes: number, { note }: Texts): Fields {
  const entries: [string, string][] = []
  for (let left = bytes; left > 12; ) {
    const name = `k${String(entries.length).padStart(3, '0')}`
    const value = Buffer.byteLength(note) + 8 < left ? note : 'x'.repeat(Math.min(40, Math.max(0, left - 8)))
    entries.push([name, value])
    left -= Buffer.byteLength(value) + name.length + 6
  }
  return Object.fromEntries(entries)
}
