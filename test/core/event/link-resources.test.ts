import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Document } from '../../../src/core/event/document.ts'
import { linkResources } from '../../../src/core/event/link-resources.ts'
import { CART, order } from '../../deliveries.ts'
import { type GraphDocument, graphs, isSameGraph, linkNaively } from './graphs.ts'

type Linked = Record<string, unknown>

const parseJson = (text: string) => JSON.parse(text) as Document
const toDocument = (document: object) => parseJson(JSON.stringify(document))

describe('linkResources', () => {
  it('gives a resource with its id, type, attributes and related resources', () => {
    expect(linkResources(toDocument(CART))).toMatchObject({
      id: 'NrlYhpzLKA',
      type: 'orders',
      number: '2001',
      customer: { id: 'OeRyhjDlje', type: 'customers', email: 'ada@example.com' },
      line_items: [{ id: 'xYZkjABcde', type: 'line_items', quantity: 2 }],
      payment_method: null,
    })
  })

  it('gives the same object wherever a resource is referenced', () => {
    const resource = linkResources(toDocument(CART))
    expect((resource.line_items as Linked[])[0]?.order).toBe(resource)
  })

  it('is never circular for JSON.stringify: a resource is whole where it is met first, and a reference from then on', () => {
    const resource = linkResources(toDocument(CART))
    const tree = JSON.parse(JSON.stringify(resource))
    const reference = { type: 'orders', id: 'NrlYhpzLKA' }
    expect(tree.customer).toMatchObject({ type: 'customers', id: 'OeRyhjDlje', email: 'ada@example.com' })
    expect(tree.line_items).toMatchObject([{ id: 'xYZkjABcde', quantity: 2, order: reference }])
    expect(Object.keys(tree.line_items[0].order)).toEqual(['type', 'id'])
    const [item] = resource.line_items as Linked[]
    expect(JSON.parse(JSON.stringify(item))).toMatchObject({
      order: { number: '2001', line_items: [{ id: 'xYZkjABcde' }] },
    })
    expect(JSON.parse(JSON.stringify({ ...resource }))).toMatchObject({ number: '2001' })
    expect(Object.keys(resource)).not.toContain('toJSON')
    expect(structuredClone(resource)).toMatchObject({ number: '2001', customer: { email: 'ada@example.com' } })
  })

  it('writes for JSON.stringify what a naive walk would write, for any graph', () => {
    fc.assert(
      fc.property(graphs, (document) => {
        const resource = linkResources(toDocument(document))
        const met = new Set<unknown>()
        const walk = (value: unknown): unknown => {
          if (Array.isArray(value)) return value.map(walk)
          const { type, id } = Object(value)
          if (typeof Object.getOwnPropertyDescriptor(Object(value), 'toJSON')?.value !== 'function') return value
          if (met.has(value)) return { type, id }
          met.add(value)
          return Object.fromEntries(Object.keys(value as Linked).map((name) => [name, walk((value as Linked)[name])]))
        }
        expect(JSON.stringify(resource)).toBe(JSON.stringify(walk(resource)))
      }),
    )
  })

  it('leaves out a relationship that was not included', () => {
    expect(linkResources(toDocument(CART))).not.toHaveProperty('market')
  })

  it('keeps the identifier of a resource that is not in the document', () => {
    const absent = { type: 'customers', id: 'absent' }
    const resource = linkResources(
      toDocument({ data: order({ relationships: { customer: { data: absent }, line_items: { data: [absent] } } }) }),
    )
    expect(resource.customer).toEqual(absent)
    expect(resource.line_items).toEqual([absent])
  })

  it('links a resource that references itself', () => {
    const self = { data: { type: 'orders', id: 'NrlYhpzLKA' } }
    const resource = linkResources(toDocument({ data: order({ relationships: { reorder_of: self } }) }))
    expect(resource.reorder_of).toBe(resource)
  })

  it('accepts a resource without attributes and relationships', () => {
    const bare = { id: 'NrlYhpzLKA', type: 'orders' }
    expect(linkResources(toDocument({ data: bare }))).toEqual(bare)
    expect(linkResources(toDocument({ data: { ...bare, attributes: null, relationships: null } }))).toEqual(bare)
    expect(linkResources(toDocument({ data: bare, included: null }))).toEqual(bare)
  })

  it('survives malformed relationships', () => {
    const odd = {
      a: null,
      b: 'text',
      c: 1,
      d: {},
      e: { data: 'text' },
      f: { data: [null, 'text', {}] },
      g: { data: {} },
    }
    const resource = linkResources(toDocument({ data: order({ relationships: odd }) }))
    expect(resource).toMatchObject({ number: '2001', e: 'text', f: [null, 'text', {}], g: {} })
    for (const name of ['a', 'b', 'c', 'd']) expect(resource).not.toHaveProperty(name)
  })
})

describe('linkResources, when names collide,', () => {
  it('finds the right resource when other types and ids are the same once joined', () => {
    const included = [
      { type: 'a', id: 'bc', attributes: { name: 'a bc' } },
      { type: 'ab', id: 'c', attributes: { name: 'ab c' } },
      { type: 'a:b', id: 'c', attributes: { name: 'a:b c' } },
      { type: 'a', id: 'b:c', attributes: { name: 'a b:c' } },
      { type: 'a,b', id: 'c', attributes: { name: 'a,b c' } },
      { type: 'a', id: 'b,c', attributes: { name: 'a b,c' } },
      { type: 'constructor', id: 'prototype', attributes: { name: 'constructor prototype' } },
      { type: '', id: '', attributes: { name: 'empty' } },
    ]
    const data = included.map(({ type, id }) => ({ type, id }))
    const { all } = linkResources(toDocument({ data: order({ relationships: { all: { data } } }), included }))
    expect((all as Linked[]).map(({ name }) => name)).toEqual(included.map(({ attributes }) => attributes.name))
  })

  it('keeps the id and type of a resource that has attributes of these names', () => {
    const resource = linkResources(toDocument({ data: order({ attributes: { id: 'evil', type: 'evil', name: 'x' } }) }))
    expect(resource).toEqual({ id: 'NrlYhpzLKA', type: 'orders', name: 'x' })
  })

  it('keeps the id and type of a resource that has relationships of these names', () => {
    const customer = { data: { type: 'customers', id: 'OeRyhjDlje' } }
    const resource = linkResources(toDocument({ data: order({ relationships: { id: customer, type: customer } }) }))
    expect(resource).toMatchObject({ id: 'NrlYhpzLKA', type: 'orders' })
  })

  it('uses the first of two included resources with the same id, and the primary resource before any of them', () => {
    const sku = (name: string) => ({ type: 'skus', id: 'a', attributes: { name } })
    const relationships = {
      sku: { data: { type: 'skus', id: 'a' } },
      self: { data: { type: 'orders', id: 'NrlYhpzLKA' } },
    }
    const included = [sku('first'), sku('second'), order({ attributes: { number: 'impostor' } })]
    const resource = linkResources(toDocument({ data: order({ relationships }), included }))
    expect(resource.sku).toMatchObject({ name: 'first' })
    expect(resource.self).toBe(resource)
    expect(resource.number).toBe('2001')
  })
})

describe('a document that tries to pollute prototypes', () => {
  const HOSTILE = parseJson(`{
    "data": {
      "id": "NrlYhpzLKA", "type": "orders",
      "attributes": { "__proto__": { "polluted": true }, "constructor": { "prototype": { "polluted": true } }, "number": "2001" },
      "relationships": {
        "__proto__": { "data": { "type": "__proto__", "id": "__proto__" } },
        "constructor": { "data": { "type": "constructor", "id": "__proto__" } },
        "evil": { "data": { "type": "__proto__", "id": "polluted" } },
        "toString": { "data": null }
      }
    },
    "included": [
      { "id": "__proto__", "type": "__proto__", "attributes": { "polluted": true, "__proto__": { "polluted": true } } },
      { "id": "polluted", "type": "__proto__", "attributes": { "name": "evil" }, "relationships": { "__proto__": { "data": [] } } },
      { "id": "__proto__", "type": "constructor", "attributes": { "name": "constructor" } }
    ]
  }`)
  const resource = linkResources(HOSTILE)

  it('changes no prototype', () => {
    expect({}).not.toHaveProperty('polluted')
    expect([]).not.toHaveProperty('polluted')
    expect(() => {}).not.toHaveProperty('polluted')
    expect(Object.getPrototypeOf(resource)).toBe(Object.prototype)
    expect(resource).not.toHaveProperty('polluted')
  })

  it('leaves no key that would set the prototype of a copy', () => {
    const { evil } = resource as { evil: Linked }
    for (const linked of [resource, evil]) {
      expect(Object.keys(linked)).not.toContain('__proto__')
      for (const copy of [{ ...linked }, Object.assign({}, linked), Object.fromEntries(Object.entries(linked))]) {
        expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
        expect(copy).not.toHaveProperty('polluted')
      }
    }
  })

  it('is still linked', () => {
    expect(resource).toMatchObject({ number: '2001', evil: { name: 'evil' } })
    for (const name of ['constructor', 'toString']) expect(Object.hasOwn(resource, name), name).toBe(false)
  })
})

describe('linkResources, for any graph of resources,', () => {
  it('gives the result of a naive implementation, with one object for each resource', () => {
    fc.assert(
      fc.property(graphs, (document: GraphDocument) => {
        const linked = linkResources(toDocument(document))
        expect(isSameGraph(linked, linkNaively(document))).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('does not take exponential time when the graph has many cycles', () => {
    const everyone = Array.from({ length: 300 }, (_, i) => ({ type: 'line_items', id: `${i}` }))
    const included = everyone.map((self) => ({ ...self, relationships: { all: { data: everyone } } }))
    const resource = linkResources(
      toDocument({ data: order({ relationships: { all: { data: everyone } } }), included }),
    )
    const [first, second] = resource.all as { all: unknown[] }[]
    expect(first?.all[1]).toBe(second)
  })
})
