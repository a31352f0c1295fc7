import { describe, expect, it } from 'vitest'
import { carries, TOPICS } from '../../src/commerce-layer/topics.ts'
import { createDelivery, TEST_SECRET } from '../../src/testing/index.ts'
import { computeHmac, findIncluded, readAttributes, readDocument, readText, type WireResource } from './delivered.ts'

const topics = Object.entries(TOPICS).flatMap(([resource, events]) => events.map((event) => `${resource}.${event}`))

function expectResource(resource: WireResource, isDestroyed: boolean): void {
  const keys = ['id', 'type', 'links', ...(isDestroyed ? [] : ['attributes', 'relationships']), 'meta']
  expect(Object.keys(resource)).toEqual(keys)
  expect(resource.id).toMatch(/^[A-Za-z]{10}$/)
  expect(resource).toMatchObject({ links: { self: `/api/${resource.type}/${resource.id}` } })
  expect(resource.meta).toEqual({ mode: 'test', organization_id: 'HkTestOrgn' })
  for (const [name, { links }] of Object.entries(resource.relationships ?? {})) {
    const self = `/api/${resource.type}/${resource.id}`
    expect(links).toEqual({ self: `${self}/relationships/${name}`, related: `${self}/${name}` })
  }
}

describe('createDelivery', () => {
  it('covers the catalog', () => {
    expect(topics).toHaveLength(186)
  })

  it.each(topics)('creates a signed %s of the right shape', async (topic) => {
    const delivery = await createDelivery(topic)
    expect(delivery).toMatchObject({ method: 'POST', topic })
    expect(delivery.headers).toEqual({
      'X-CommerceLayer-Signature': computeHmac(delivery, TEST_SECRET),
      'X-CommerceLayer-Topic': topic,
      'Content-Type': 'application/json',
      'user-agent': 'CommerceLayer Module',
      accept: 'application/json, text/plain, */*',
      'accept-encoding': 'gzip',
      'content-length': String(delivery.body.byteLength),
    })
    const { data, included = [] } = readDocument(delivery)
    expect(carries(topic, data.type)).toBe(true)
    expect(data.type).not.toMatch(/^(promotions|transactions)$/)
    expectResource(data, topic.endsWith('.destroy'))
    for (const resource of included) expectResource(resource, false)
    if (topic.endsWith('.tagged')) expect(findIncluded(delivery, 'tags')).toHaveLength(1)
    const identities = [data, ...included].map(({ type, id }) => `${type}/${id}`)
    expect(new Set(identities).size).toBe(identities.length)
    const linked = [data, ...included].flatMap(({ relationships }) => Object.values(relationships ?? {}))
    for (const { type, id } of linked.flatMap((to) => (to.data ? [to.data].flat() : [])) as WireResource[]) {
      expect(identities).toContain(`${type}/${id}`)
    }
  })

  it.each(topics)('writes %s as Ruby does, with bytes that JSON.stringify would not write', async (topic) => {
    const delivery = await createDelivery(topic)
    const { data, included = [] } = readDocument(delivery)
    const attributes = [data, ...included].flatMap((resource) => Object.entries(resource.attributes ?? {}))
    const floats = attributes.filter(([name, value]) => name.endsWith('_float') && Number.isInteger(value)).length
    const rewritten = JSON.stringify(readDocument(delivery))
    const escaped = rewritten.match(/[&<>]/g)?.length ?? 0
    expect(delivery.body.byteLength - new TextEncoder().encode(rewritten).byteLength).toBe(2 * floats + 5 * escaped)
  })

  it('writes an order of tens of kilobytes with decimal points and escapes', async () => {
    const delivery = await createDelivery('orders.place')
    expect(readText(delivery)).toContain('"total_amount_float":57.0,"formatted_total_amount":"€57,00"')
    expect(readText(delivery)).toContain('\\u0026')
    expect(delivery.body.byteLength).toBeGreaterThan(40_000)
    expect(readAttributes(delivery)).toMatchObject({ status: 'placed', placed_at: expect.any(String) })
  })

  it('links each line item of an order back to the order', async () => {
    const delivery = await createDelivery('orders.place')
    const { id, type } = readDocument(delivery).data
    const items = findIncluded(delivery, 'line_items')
    expect(items).toHaveLength(5)
    for (const item of items) expect(item.relationships?.order?.data).toEqual({ type, id })
  })

  it('carries only type and id of a destroyed resource', async () => {
    const delivery = await createDelivery('orders.destroy', { resource: { id: 'AbCdEfGhIj' } })
    expect(readText(delivery)).toBe(
      '{"data":{"id":"AbCdEfGhIj","type":"orders","links":{"self":"/api/orders/AbCdEfGhIj"},' +
        '"meta":{"mode":"test","organization_id":"HkTestOrgn"}}}',
    )
  })

  it('creates the same bytes for the same arguments', async () => {
    expect(await createDelivery('orders.place')).toEqual(await createDelivery('orders.place'))
  })

  it('creates a delivery of an unknown topic', async () => {
    const delivery = await createDelivery('time_machines.depart', {
      resource: { year: 1955, pilot: { id: 'P', type: 'pilots' } },
    })
    expect(readDocument(delivery)).toMatchObject({
      data: {
        type: 'time_machines',
        attributes: { year: 1955, metadata: {} },
        relationships: { pilot: { data: { id: 'P' } } },
      },
      included: [{ type: 'pilots', id: 'P' }],
    })
  })
})
