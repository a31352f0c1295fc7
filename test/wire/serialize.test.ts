import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sampleOf, serialize } from '../../src/testing/index.ts'
import { toDocument } from '../../src/wire/document.ts'
import { writeDocument } from '../../src/wire/serialize.ts'

const meta = { mode: 'test', organization_id: 'HkTestOrgn' }

function tag(id: string, fields: Record<string, unknown> = {}): { id: string; type: string } {
  return { id, type: 'tags', ...fields }
}

function createLinks(self: string, name: string): { self: string; related: string } {
  return { self: `${self}/relationships/${name}`, related: `${self}/${name}` }
}

describe('serialize', () => {
  it('writes a resource with keys in the order of the wire and links for each relationship', () => {
    expect(serialize(tag('AAAAAAAAAA', { name: 'new' }))).toBe(
      '{"data":{"id":"AAAAAAAAAA","type":"tags","links":{"self":"/api/tags/AAAAAAAAAA"},"attributes":{"name":"new"},' +
        '"relationships":{"event_stores":{"links":{"self":"/api/tags/AAAAAAAAAA/relationships/event_stores",' +
        '"related":"/api/tags/AAAAAAAAAA/event_stores"}}},"meta":{"mode":"test","organization_id":"HkTestOrgn"}}}',
    )
  })

  it('adds a decimal point to integers of *_float attributes, and to no other numbers', () => {
    const attributes = {
      a_float: 20,
      b_float: 0,
      c_float: -5,
      d_float: 1.5,
      e_float: -0,
      f_float: 1e21,
      g_float: null,
      h_float: '7',
      a_cents: 2000,
      metadata: { x_float: 3 },
      text: '"x_float":20',
    }
    const text = serialize(tag('AAAAAAAAAA', attributes))
    expect(text).toContain(
      '"attributes":{"a_float":20.0,"b_float":0.0,"c_float":-5.0,"d_float":1.5,"e_float":0.0,"f_float":1e+21,' +
        '"g_float":null,"h_float":"7","a_cents":2000,"metadata":{"x_float":3},"text":"\\"x_float\\":20"}',
    )
  })

  it('adds the decimal point in included resources too', () => {
    const text = serialize(
      tag('AAAAAAAAAA', { event_stores: [{ id: 'BBBBBBBBBB', type: 'event_stores', x_float: 4 }] }),
    )
    expect(text).toContain('"attributes":{"x_float":4.0}')
  })

  it('escapes as Rails does, in names and in values', () => {
    const text = serialize(tag('AAAAAAAAAA', { 'a&b': '<a href="?x=1&y=2">\u2028\u2029é€' }))
    expect(text).toContain('{"a\\u0026b":"\\u003ca href=\\"?x=1\\u0026y=2\\"\\u003e\\u2028\\u2029é€"}')
  })

  it('writes null, a list and an empty list', () => {
    expect(serialize(null)).toBe('{"data":null}')
    expect(serialize([])).toBe('{"data":[]}')
    const { data } = JSON.parse(serialize([tag('AAAAAAAAAA'), tag('BBBBBBBBBB')]))
    expect(data.map((resource: { id: string }) => resource.id)).toEqual(['AAAAAAAAAA', 'BBBBBBBBBB'])
  })

  it('leaves out values that JSON has no form for', () => {
    expect(serialize(tag('AAAAAAAAAA', { a: undefined, b: () => 1, c: new Date(0) }))).toContain(
      '"attributes":{"c":"1970-01-01T00:00:00.000Z"}',
    )
  })

  it('writes any attributes so that parsing gives them back', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ unit: 'binary' }).map((name) => `_${name}`),
          fc.jsonValue(),
        ),
        (attributes) => {
          const document = toDocument({ id: 'AAAAAAAAAA', type: 'time_machines', attributes })
          expect(JSON.parse(writeDocument(document))).toEqual(JSON.parse(JSON.stringify(document)))
        },
      ),
    )
  })

  it('writes any strings and numbers as attributes of a resource', () => {
    const names = fc.constantFrom('a_float', 'b_cents', 'constructor', '__proto__', 'float', 'name')
    const values = fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.integer(), fc.boolean(), fc.constant(null))
    fc.assert(
      fc.property(fc.dictionary(names, values), (attributes) => {
        const document = toDocument(Object.assign(Object.create(null), attributes, { id: 'AAAAAAAAAA', type: 'tags' }))
        const text = writeDocument(document)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(document)))
        expect(text).not.toMatch(/[&<>\u2028\u2029]/)
      }),
    )
  })
})

describe('toDocument', () => {
  it('includes cycles and shared references once', () => {
    const customer: Record<string, unknown> & { id: string; type: string } = { id: 'CCCCCCCCCC', type: 'customers' }
    const order = { id: 'OOOOOOOOOO', type: 'orders', customer, line_items: [] as unknown[] }
    const item = { id: 'LLLLLLLLLL', type: 'line_items', order }
    order.line_items.push(item, item)
    customer.orders = [order]
    const { data, included } = toDocument(order)
    expect(included?.map((resource) => resource.id)).toEqual(['CCCCCCCCCC', 'LLLLLLLLLL'])
    expect(data).toMatchObject({ relationships: { customer: { data: { type: 'customers', id: 'CCCCCCCCCC' } } } })
    expect(included?.[1]?.relationships?.order).toEqual({
      links: createLinks('/api/line_items/LLLLLLLLLL', 'order'),
      data: { type: 'orders', id: 'OOOOOOOOOO' },
    })
  })

  it('includes only the given paths, as data and in links', () => {
    const { data, included } = toDocument(sampleOf('orders'), {
      include: ['customer', 'line_items.order', 'market', 'returns'],
    })
    const types = new Set(included?.map((resource) => resource.type))
    expect(types).toEqual(new Set(['customers', 'line_items']))
    const relationships = (Array.isArray(data) ? undefined : data?.relationships) ?? {}
    expect(relationships.market?.data).toBeNull()
    expect(relationships.returns?.data).toEqual([])
    expect(relationships.shipments).toEqual({ links: expect.any(Object) })
    const item = included?.find((resource) => resource.type === 'line_items')
    expect(item?.relationships?.order).toHaveProperty('data')
    expect(item?.relationships?.item).not.toHaveProperty('data')
  })

  it('merges the relationships of a resource that is reached by several paths', () => {
    const order = sampleOf('orders')
    const { included } = toDocument(order, { include: ['shipments.order.customer', 'line_items'] })
    expect(included?.map((resource) => resource.type)).toContain('customers')
  })

  it('treats two objects with the same type and id as one resource', () => {
    const stub = { id: 'CCCCCCCCCC', type: 'customers' }
    const full = { ...stub, email: 'zoe@example.com' }
    const { included } = toDocument({
      id: 'OOOOOOOOOO',
      type: 'orders',
      customer: stub,
      returns: [{ id: 'R', type: 'returns', customer: full }],
    })
    const customers = included?.filter((resource) => resource.type === 'customers')
    expect(customers).toHaveLength(1)
    expect(customers?.[0]?.attributes).toEqual({ email: 'zoe@example.com' })
  })

  it('keeps metadata an attribute even if it looks like a resource', () => {
    const metadata = { id: 'x', type: 'y' }
    const { data, included } = toDocument({ id: 'AAAAAAAAAA', type: 'orders', metadata })
    expect(data).toMatchObject({ attributes: { metadata } })
    expect(included).toBeUndefined()
  })

  it('recognizes the relationships of an unknown type by their values', () => {
    const pilot = { id: 'P', type: 'pilots' }
    const { data } = toDocument({ id: 'T', type: 'time_machines', pilot, crew: [pilot], parts: [], fuel: null })
    const self = '/api/time_machines/T'
    const identifier = { type: 'pilots', id: 'P' }
    expect(data).toEqual({
      id: 'T',
      type: 'time_machines',
      links: { self },
      attributes: { parts: [], fuel: null },
      relationships: {
        pilot: { links: createLinks(self, 'pilot'), data: identifier },
        crew: { links: createLinks(self, 'crew'), data: [identifier] },
      },
      meta,
    })
  })

  it('does not overflow the stack on a long chain of resources', () => {
    let chain: { id: string; type: string } = { id: 'n0', type: 'nodes' }
    for (let i = 1; i < 20_000; i++) chain = Object.assign({ id: `n${i}`, type: 'nodes' }, { next: chain })
    expect(toDocument(chain).included).toHaveLength(19_999)
  })
})
