import { TOPICS } from 'hooklayer'
import { beforeAll, describe, expect, it } from 'vitest'
import { createEditor, type Editor } from './editor.ts'

const RECEIVER = "import { createReceiver } from 'hooklayer'\nconst receiver = createReceiver({ secrets: 'secret' })\n"
const LAST_PATHS = [
  'shipments.parcels.parcel_line_items.stock_line_item',
  'shipments.shipping_method.market.merchant',
  'market.merchant.address.geocoder',
  'line_items.sku.prices.price_tiers',
  'shipments.stock_location.stock_items.sku',
]
const TOPIC_COUNT = Object.values(TOPICS).flat().length

let editor: Editor

beforeAll(() => {
  editor = createEditor()
  editor.check(RECEIVER)
}, 120_000)

describe('an editor completes', () => {
  const completeIncludes = (include: string) =>
    editor.complete(`${RECEIVER}receiver.on('orders.place', { include: [${include}] }, () => {})`)

  it('the relationships of the resource in `include`, and no attributes', () => {
    const names = completeIncludes("'|'")
    expect(names).toEqual(expect.arrayContaining(['customer', 'line_items', 'payment_source', 'market']))
    expect(names).not.toContain('number')
    expect(names).not.toContain('metadata')
  })

  it.each([
    ["'customer.|'", 'customer.customer_group'],
    ["'market', 'customer.customer_group.|'", 'customer.customer_group.markets'],
    ["'customer.customer_group.markets.|'", 'customer.customer_group.markets.price_list'],
  ])('one step after the other, not all paths at once: %s', (include, path) => {
    const names = completeIncludes(include)
    expect(names).toContain(path)
    expect(names.length).toBeLessThan(60)
  })

  it('topics in `on`, and in the keys of `secrets`', () => {
    const topics = editor.complete(`${RECEIVER}receiver.on('|', () => {})`)
    expect(topics).toEqual(expect.arrayContaining(['orders.place', 'orders.*', '*']))
    const keys = editor.complete(
      "import { createReceiver } from 'hooklayer'\ncreateReceiver({ secrets: { '|': 's' } })",
    )
    expect(keys.length).toBeGreaterThanOrEqual(TOPIC_COUNT)
    expect(keys).toContain('orders.place')
  })
})

describe('an editor does not show the members of a type in the place of its name', () => {
  it.each([
    ["receiver.on('orders.place', ({ reso|urce }) => {})", 'Order'],
    [
      "receiver.on('orders.place', { include: ['customer', 'line_items.item'] }, ({ reso|urce }) => {})",
      'Including<Order, "customer" | "line_items.item">',
    ],
    ["receiver.on('promotions.create', ({ reso|urce }) => {})", 'Promotion'],
    ["receiver.on('orders.place', (ev|ent) => {})", 'EventOf<"orders.place", never>'],
    ['receiver.onError((_, { ev|ent }) => {})', 'WebhookEvent | undefined'],
    ['recei|ver.close()', 'Receiver'],
  ])('%s', (code, type) => {
    expect(editor.hover(RECEIVER + code)).toMatch(new RegExp(`: ${type.replaceAll('|', '\\|')}$`))
  })
})

it('an editor says what was meant by a relationship that is misspelled', () => {
  const code = `${RECEIVER}receiver.on('orders.place', { include: ['custmer'] }, () => {})`
  expect(editor.check(code)).toEqual([expect.stringContaining(`Did you mean '"customer"'?`)])
})

it('checks three paths of four steps in each of 20 handlers without following all relationships of all resources', () => {
  const paths = ['customer.customer_group.markets.price_list', 'line_items.item.prices.price_list']
  const topics = TOPICS.orders.filter((event) => event !== 'destroy').slice(0, 20)
  const code = topics.map(
    (event, index) =>
      `receiver.on('orders.${event}', { include: ${JSON.stringify([...paths, LAST_PATHS[index % 5]])} }, ({ resource }) => resource.id)`,
  )
  expect(topics).toHaveLength(20)
  expect(editor.check(RECEIVER + code.join('\n'))).toEqual([])
  expect(editor.countInstantiations(RECEIVER + code.join('\n'))).toBeLessThan(5500)
})
