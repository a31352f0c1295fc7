import type { SecretsLookUp } from 'hooklayer'
import type { WebhookResponse } from 'hooklayer/drivers'
import { describe, expect, it, vi } from 'vitest'
import { CART, delivery, OTHER_SECRET, recordingLogger, SECRET } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'

const request = delivery('orders.place', CART)

function readCode({ body }: WebhookResponse): string {
  const { outcome, error } = JSON.parse(body)
  return outcome ?? error.code
}

describe.each(await inBothRuntimes(() => import('hooklayer')))('secrets that are looked up, on %s,', (_, hooklayer) => {
  function createTestReceiver(known: unknown, refreshed: unknown) {
    const refresh = vi.fn(async () => refreshed as string)
    const secrets: SecretsLookUp = Object.assign(async () => known as string, { refresh })
    const { logger } = recordingLogger()
    const receiver = hooklayer.createReceiver({ secrets, logger }).on('*', () => {})
    return { receive: async () => readCode(await receiver.receive(request)), refresh }
  }

  it('are not refreshed as long as they match', async () => {
    const { receive, refresh } = createTestReceiver(SECRET, OTHER_SECRET)
    expect(await receive()).toBe('handled')
    expect(refresh).not.toHaveBeenCalled()
  })

  it.each([
    ['a secret that no longer matches', OTHER_SECRET],
    ['no secret', undefined],
    ['an empty list', []],
  ])('are refreshed once after the look-up gave %s', async (_, known) => {
    const { receive, refresh } = createTestReceiver(known, SECRET)
    expect(await receive()).toBe('handled')
    expect(refresh.mock.calls).toEqual([['orders.place']])
  })

  it.each([
    [OTHER_SECRET, undefined, 'SIGNATURE_MISMATCH'],
    [OTHER_SECRET, `${SECRET}x`, 'SIGNATURE_MISMATCH'],
    [undefined, OTHER_SECRET, 'SIGNATURE_MISMATCH'],
    [undefined, undefined, 'SIGNATURE_MISMATCH'],
    [undefined, '', 'SIGNATURE_MISMATCH'],
  ])('refuse a delivery that matches neither %j nor the refreshed %j', async (known, refreshed, code) => {
    expect(await createTestReceiver(known, refreshed).receive()).toBe(code)
  })

  it('answer 503 when refreshing fails, and accept the retry', async () => {
    const { receive, refresh } = createTestReceiver(OTHER_SECRET, SECRET)
    refresh.mockRejectedValueOnce(new Error('the API is down'))
    expect(await receive()).toBe('STORE_UNAVAILABLE')
    expect(await receive()).toBe('handled')
  })

  it('refuse a delivery that does not match when they cannot be refreshed', async () => {
    const { logger } = recordingLogger()
    const receiver = hooklayer.createReceiver({ secrets: () => OTHER_SECRET, logger })
    expect(readCode(await receiver.receive(request))).toBe('SIGNATURE_MISMATCH')
  })
})
