import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ExternalResourceKind, Responder } from 'hooklayer/responder'
import { createRequest, type RequestOptions, TEST_SECRET } from 'hooklayer/testing'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { parseCodeBlocks } from './code-blocks.ts'

const FOLDER = resolve('test/docs/.blocks/external-resources')

beforeAll(() => {
  mkdirSync(FOLDER, { recursive: true })
  for (const { title, code } of parseCodeBlocks('docs/external-resources.md')) {
    if (title?.endsWith('.ts')) writeFileSync(join(FOLDER, title), code)
  }
  for (const holder of ['TAX', 'MARKET', 'SHIPPING', 'PROMOTION']) vi.stubEnv(`CL_SECRET_${holder}`, TEST_SECRET)
})
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(FOLDER, { recursive: true, force: true })
})

async function askExample(
  file: string,
  name: string,
  kind: ExternalResourceKind,
  resource: RequestOptions['resource'] = {},
) {
  const { [name]: responder } = (await import(join(FOLDER, file))) as { readonly [name: string]: Responder }
  if (!responder) throw new Error(`${file} has no ${name}.`)
  const { status, body } = await responder.receive(await createRequest(kind, { resource }))
  return [status, JSON.parse(body)]
}

const gold = { order: { customer: { tags: [{ name: 'gold' }] } } }

it('the examples of the manual answer as they say', async () => {
  const success = (data: object) => [200, { success: true, data }]
  const sku_code = 'TSHIRTMM000000FFFFFFXLXX'
  expect(await askExample('prices.ts', 'prices', 'prices', gold)).toEqual(
    success({ sku_code, unit_amount_cents: 2900 }),
  )
  expect(await askExample('prices.ts', 'prices', 'prices')).toEqual(success({ sku_code, unit_amount_cents: 4900 }))
  expect(await askExample('order-validation.ts', 'validations', 'order-validation')).toEqual(success({}))
  expect(await askExample('shipping-cost.ts', 'shippingCosts', 'shipping-cost')).toEqual(
    success({ unit_amount_cents: 700 }),
  )
  expect(await askExample('promotion.ts', 'promotions', 'promotion')).toMatchObject([
    200,
    { success: true, data: { name: 'Shirts', line_items: [{ discount_cents: 500 }] } },
  ])
  const german = { shipping_address: { country_code: 'DE' } }
  expect(await askExample('tax.ts', 'taxes', 'tax', german)).toEqual(success({ tax_rate: 0.2 }))
  const book = { line_items: [{ sku_code: 'BOOK1' }] }
  expect(await askExample('tax-by-line.ts', 'taxesByLine', 'tax', book)).toMatchObject([
    200,
    { success: true, data: { tax_rate: 0.22, line_items: [{ tax_rate: 0.04 }] } },
  ])
})

it('the test of the manual passes', async () => {
  await expect(import(join(FOLDER, 'tax.test.ts'))).resolves.toBeDefined()
})
