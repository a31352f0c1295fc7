import { describe, expect, it } from 'vitest'
import { startEmulatorForTest } from '../harness.ts'

const URL_OF_SHOP = 'http://127.0.0.1:1/taxes'

describe('holders in the API', () => {
  it('are listed with all that matters for calls, by their types', async () => {
    const { ask, emulator } = await startEmulatorForTest()
    emulator.addHolder('prices', URL_OF_SHOP)
    emulator.addHolder('tax', URL_OF_SHOP)
    emulator.addHolder('shipping-cost', URL_OF_SHOP, { priceAmountCents: 990 })
    const attributesOf = async (type: string) =>
      (await ask(type)).body.data.map(({ attributes }: { attributes?: unknown }) => attributes)
    expect(await attributesOf('markets')).toMatchObject([
      { external_prices_url: URL_OF_SHOP, external_order_validation_url: null },
    ])
    expect(await attributesOf('shipping_methods')).toMatchObject([{ scheme: 'external', price_amount_cents: 990 }])
    expect(await attributesOf('external_tax_calculators')).toMatchObject([
      { tax_calculator_url: URL_OF_SHOP, circuit_state: 'closed', circuit_failure_count: 0 },
    ])
    expect(await attributesOf('external_promotions')).toEqual([])
    expect(JSON.stringify(await attributesOf('markets'))).not.toMatch(/circuit|"kind"|"url"/)
  })

  it('are changed by `_reset_circuit` alone, and markets not at all', async () => {
    const { ask, emulator } = await startEmulatorForTest()
    const change = (type: string, id: string, attributes: object) =>
      ask(`${type}/${id}`, { method: 'PATCH', body: { data: { type, id, attributes } } })
    const market = emulator.addHolder('prices', URL_OF_SHOP)
    const calculator = emulator.addHolder('tax', URL_OF_SHOP)
    expect((await change('markets', market.id, { _reset_circuit: true })).status).toBe(405)
    const { type, id } = calculator
    expect((await change(type, id, { _reset_circuit: true })).status).toBe(200)
    expect((await change(type, id, { name: 'other' })).body.errors[0]).toMatchObject({ code: 'PARAM_NOT_ALLOWED' })
    expect((await change('external_promotions', id, { _reset_circuit: true })).status).toBe(404)
    expect((await ask(`${type}/${id}`, { method: 'DELETE' })).status).toBe(405)
  })

  it('can be filtered and sorted as other records', async () => {
    const { ask, emulator } = await startEmulatorForTest()
    const ids = [1, 2, 3].map(() => emulator.addHolder('tax', URL_OF_SHOP).id)
    const { body } = await ask(`external_tax_calculators?filter[q][id_in]=${ids.slice(0, 2)}&sort=-id`)
    expect(body.data.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 2).sort().reverse())
    const wrong = await ask('external_tax_calculators?filter[q][shared_secret_eq]=x')
    expect(wrong.body.errors[0]).toMatchObject({ code: 'FILTER_NOT_ALLOWED' })
  })
})
