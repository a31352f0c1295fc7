import { readFileSync } from 'node:fs'
import type { Order } from '@commercelayer/sdk'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { TOPICS } from '../../src/commerce-layer/topics.ts'
import { sampleOf } from '../../src/testing/index.ts'
import { getExampleAttributes, getRelationships, isResource, SHARED_ATTRIBUTES } from '../../src/wire/schema.ts'
import { SDK_EXAMPLES } from '../../src/wire/sdk-examples.ts'
import { generateSdkExamples, SDK_EXAMPLES_FILE } from './generate-sdk-examples.ts'
import { resourcesWithin } from './resources-within.ts'

const types = Object.keys(SDK_EXAMPLES)

describe('the generated data', () => {
  it('equals the output of the generator for the installed SDK', () => {
    expect(readFileSync(SDK_EXAMPLES_FILE, 'utf8')).toBe(generateSdkExamples())
  })

  it('knows every resource that has topics', () => {
    for (const resource of Object.keys(TOPICS)) expect(types).toContain(resource)
  })

  it('is ASCII, except for formatted amounts', () => {
    for (const { attributes } of Object.values(SDK_EXAMPLES)) {
      for (const [name, value] of Object.entries(attributes)) {
        if (!name.startsWith('formatted_')) expect(JSON.stringify(value)).toMatch(/^[ -~]*$/)
      }
    }
  })

  it('has an entry for the target of every relationship', () => {
    for (const type of types) {
      for (const { targets } of getRelationships(type).values())
        expect(types).toEqual(expect.arrayContaining([...targets]))
    }
  })
})

describe('sampleOf', () => {
  it('links all parts of an order back to the same order object', () => {
    const order = sampleOf('orders')
    expectTypeOf(order).toEqualTypeOf<Order>()
    expect(order.customer?.type).toBe('customers')
    expect(order.line_items).toHaveLength(5)
    for (const item of order.line_items ?? []) expect(item.order).toBe(order)
    expect(order.line_items?.[0]?.item?.type).toBe('skus')
    expect(order.line_items?.[0]?.line_item_options?.[0]?.line_item).toBe(order.line_items?.[0])
    expect(order.shipments?.[0]?.order).toBe(order)
    expect(order.shipments?.[0]?.parcels?.[0]?.shipment).toBe(order.shipments?.[0])
    expect(order.shipments?.[0]?.shipping_address).toBe(order.shipping_address)
    expect(order.captures?.[0]?.reference_authorization).toBe(order.authorizations?.[0])
    expect(order.transactions).toEqual([order.authorizations?.[0], order.captures?.[0]])
  })

  it('has amounts that add up', () => {
    const order = sampleOf('orders')
    const total = (order.line_items ?? []).reduce((sum, item) => sum + (item.total_amount_cents ?? 0), 0)
    expect(total).toBe(order.total_amount_cents)
    expect(order.captures?.[0]?.amount_cents).toBe(order.total_amount_cents)
    expect((order.total_tax_amount_cents ?? 0) + (order.total_taxable_amount_cents ?? 0)).toBe(order.total_amount_cents)
  })

  it('returns a new and equal resource on each call', () => {
    const sample = sampleOf('orders')
    expect(sampleOf('orders')).not.toBe(sample)
    expect(sampleOf('orders')).toEqual(sample)
    sample.metadata = { changed: true }
    Object.assign(sampleOf('shipments').metadata ?? {}, { changed: true })
    expect(sampleOf('shipments').metadata).toEqual({})
  })

  it.each(types)('gives %s only the fields of the SDK, and each resource its own id', (type) => {
    const resources = resourcesWithin(sampleOf(type))
    expect(new Set(resources.map((resource) => resource.id)).size).toBe(resources.length)
    for (const { id, type: reached, ...fields } of resources) {
      expect(id).toMatch(/^[A-Za-z]{10}$/)
      for (const [name, value] of Object.entries(fields)) {
        const target = getRelationships(reached).get(name)
        if (!target)
          expect([...Object.keys(getExampleAttributes(reached)), ...Object.keys(SHARED_ATTRIBUTES)]).toContain(name)
        else expect(Array.isArray(value)).toBe(target.isList)
        for (const related of [value].flat().filter(isResource)) expect(target?.targets).toContain(related.type)
      }
    }
  })

  it('links attached resources back to their owner', () => {
    const customer = sampleOf('customers')
    expect(customer.customer_addresses?.[0]?.customer).toBe(customer)
    const sample = sampleOf('returns')
    expect(sample.return_line_items?.[0]?.line_item).toBe(sample.order?.line_items?.[0])
  })

  it('returns a concrete type for a family, and a resource for an unknown type', () => {
    expect(sampleOf('promotions').type).toBe('percentage_discount_promotions')
    expect(sampleOf('transactions').type).toBe('authorizations')
    expect(sampleOf('time_machines')).toMatchObject({ type: 'time_machines', metadata: {} })
    expect(sampleOf('constructor')).toMatchObject({ type: 'constructor', metadata: {} })
  })
})
