import type { Emulator } from 'hooklayer/emulator'
import type { HoldersApi, Management } from 'hooklayer/management'
import type { ExternalResourceKind } from 'hooklayer/responder'
import { describe, expect, it } from 'vitest'
import { rejection } from '../../deliveries.ts'
import { collect, startCommerceLayer, startEndpoint } from '../harness.ts'

const URL_OF_SHOP = 'https://shop.example/external'

const KINDS: readonly (readonly [ExternalResourceKind, keyof HoldersApi, urlAttribute: string])[] = [
  ['prices', 'markets', 'external_prices_url'],
  ['order-validation', 'markets', 'external_order_validation_url'],
  ['shipping-cost', 'shippingMethods', 'external_prices_url'],
  ['promotion', 'externalPromotions', 'promotion_url'],
  ['tax', 'externalTaxCalculators', 'tax_calculator_url'],
]

/** Fails until the circuit of the holder, or of the resource that it asks about, is open. */
async function openCircuit(emulator: Emulator, kind: ExternalResourceKind): Promise<{ id: string; asked: string }> {
  const { url, answer } = await startEndpoint()
  answer(500)
  const { id } = emulator.addHolder(kind, url)
  const resource = { id: 'NrlYhpzLKA' }
  for (let i = 0; i < 31; i++) await emulator.ask(kind, { resource })
  return { id, asked: resource.id }
}

/** What has a circuit, by kind. */
function circuitsOf(api: Management, kind: ExternalResourceKind) {
  return {
    prices: api.lineItems,
    'order-validation': api.orders,
    'shipping-cost': api.shippingMethods,
    promotion: api.externalPromotions,
    tax: api.externalTaxCalculators,
  }[kind]
}

describe.each(KINDS)('the holder of %s', (kind, name, urlAttribute) => {
  it(`is one of ${name}, with its URL in ${urlAttribute} and its secret`, async () => {
    const { api, emulator } = await startCommerceLayer()
    const { id, shared_secret } = emulator.addHolder(kind, URL_OF_SHOP, { externalIncludes: ['market'] })
    const holders = api[name as 'markets']
    const expected = { id, shared_secret, [urlAttribute]: URL_OF_SHOP, external_includes: ['market'] }
    expect(await holders.retrieve(id)).toMatchObject(expected)
    expect(await collect(holders.list())).toMatchObject([expected])
  })

  it('is asked again once the open circuit is reset through the API', async () => {
    const { api, emulator } = await startCommerceLayer()
    const { id, asked } = await openCircuit(emulator, kind)
    const circuits = circuitsOf(api, kind)
    const owner = kind === 'prices' || kind === 'order-validation' ? asked : id
    expect(await circuits.retrieve(owner)).toMatchObject({ circuit_state: 'open', circuit_failure_count: 31 })
    expect((await emulator.ask(kind, { resource: { id: asked } })).outcome).toBe('skipped')
    expect(await circuits.resetCircuit(owner)).toMatchObject({ circuit_state: 'closed', circuit_failure_count: 0 })
    expect((await emulator.ask(kind, { resource: { id: asked } })).outcome).toBe('unanswered')
  })
})

it('lists holders over several pages, the oldest first', async () => {
  const { api, emulator } = await startCommerceLayer()
  const created = Array.from({ length: 60 }, () => emulator.addHolder('promotion', URL_OF_SHOP).id)
  emulator.addHolder('tax', URL_OF_SHOP)
  const listed = await collect(api.externalPromotions.list())
  expect(listed.map(({ id }) => id).sort()).toEqual(created.sort())
})

it('leaves the circuit of another order closed or open as it is', async () => {
  const { api, emulator } = await startCommerceLayer()
  const { asked } = await openCircuit(emulator, 'order-validation')
  await emulator.ask('order-validation', { resource: { id: 'AnotherOne' } })
  await api.orders.resetCircuit('AnotherOne')
  expect(await api.orders.retrieve(asked)).toMatchObject({ circuit_state: 'open' })
})

it('refuses wrong arguments before anything is sent, and tells of what is not there', async () => {
  const { api } = await startCommerceLayer()
  expect(await rejection(api.markets.retrieve('no id'))).toBeInstanceOf(TypeError)
  expect(() => api.markets.list({ signal: 1 as never })).toThrow('markets.list: `signal` must be an AbortSignal')
  expect(await rejection(api.orders.resetCircuit('../webhooks'))).toBeInstanceOf(TypeError)
  expect(await rejection(api.externalTaxCalculators.resetCircuit('none'))).toMatchObject({ code: 'RECORD_NOT_FOUND' })
})
