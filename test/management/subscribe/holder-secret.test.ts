import { createResponder, type ExternalResourceKind } from 'hooklayer/responder'
import { createRequest } from 'hooklayer/testing'
import { afterEach, expect, it, vi } from 'vitest'
import { recordingLogger } from '../../deliveries.ts'
import { connect, startCommerceLayer } from '../harness.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const url = 'https://shop.example/taxes'
const { logger } = recordingLogger()

async function ask(responder: { receive(request: never): Promise<{ status: number }> }, secret: string) {
  return (await responder.receive((await createRequest('tax', { secret })) as never)).status
}

it('verifies requests of all holders of the URL, and of no others', async () => {
  const { api, emulator } = await startCommerceLayer()
  const one = emulator.addHolder('tax', url)
  const two = emulator.addHolder('tax', url)
  const elsewhere = emulator.addHolder('tax', 'https://shop.example/others')
  const promotion = emulator.addHolder('promotion', url)
  const taxes = createResponder('tax', { secret: api.holderSecret('tax', { url }), logger }, () => ({ tax_rate: 0 }))
  expect(await ask(taxes, one.shared_secret)).toBe(200)
  expect(await ask(taxes, two.shared_secret)).toBe(200)
  expect(await ask(taxes, elsewhere.shared_secret)).toBe(401)
  expect(await ask(taxes, promotion.shared_secret)).toBe(401)
})

it('tells the two URLs of markets apart', async () => {
  const { api, emulator } = await startCommerceLayer()
  const { shared_secret } = emulator.addHolder('prices', url)
  expect(await api.holderSecret('prices', { url })()).toEqual([shared_secret])
  expect(await api.holderSecret('order-validation', { url })()).toEqual([])
})

it('reads the secret of a holder that is made later, at most once a minute', async () => {
  let now = 1_000
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  const { api, emulator } = await startCommerceLayer()
  const first = emulator.addHolder('tax', url)
  const secret = api.holderSecret('tax', { url })
  const taxes = createResponder('tax', { secret, logger, deadlineMs: 3000 }, () => ({ tax_rate: 0 }))
  expect(await ask(taxes, first.shared_secret)).toBe(200)
  const second = emulator.addHolder('tax', url)
  now += 60_001
  expect(await ask(taxes, second.shared_secret)).toBe(200)
  const third = emulator.addHolder('tax', url)
  now += 2_000
  expect(await ask(taxes, third.shared_secret)).toBe(401)
  now += 60_001
  expect(await ask(taxes, third.shared_secret)).toBe(200)
})

it('answers 503 while the API cannot be reached, so that a request is not refused for good', async () => {
  const { emulator } = await startCommerceLayer()
  const { shared_secret } = emulator.addHolder('tax', url)
  const secret = connect(emulator, 'http://127.0.0.1:1').holderSecret('tax', { url })
  const taxes = createResponder('tax', { secret, logger }, () => ({ tax_rate: 0 }))
  expect(await ask(taxes, shared_secret)).toBe(503)
})

it('throws for a kind and for options that cannot be used', async () => {
  const { api } = await startCommerceLayer()
  expect(() => api.holderSecret('payment' as ExternalResourceKind, { url })).toThrow('the kind must be one of prices')
  expect(() => api.holderSecret('tax', { url: 'shop' })).toThrow('holderSecret: `url` must be a URL')
  expect(() => api.holderSecret('tax', { url, refreshMs: 0 })).toThrow('holderSecret: `refreshMs` must be over 0')
})
