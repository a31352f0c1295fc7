import type { SecretsLookUp } from 'hooklayer'
import type { WebhookResponse } from 'hooklayer/drivers'
import { describe, expect, it, vi } from 'vitest'
import { CART, delivery, OTHER_SECRET, recordingLogger, SECRET } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'

const request = delivery('orders.place', CART)

function codeOf({ body }: WebhookResponse): string {
  const { outcome, error } = JSON.parse(body)
  return outcome ?? error.code
}

describe.each(await inBothRuntimes(() => import('hooklayer')))('secrets that are looked up, on %s,', (_, hooklayer) => {
  function receiving(known: unknown, anew: unknown) {
    const refresh = vi.fn(async () => anew as string)
    const secrets: SecretsLookUp = Object.assign(async () => known as string, { refresh })
    const { logger } = recordingLogger()
    const receiver = hooklayer.createReceiver({ secrets, logger }).on('*', () => {})
    return { receive: async () => codeOf(await receiver.receive(request)), refresh }
  }

  it('are not asked for anew as long as they match', async () => {
    const { receive, refresh } = receiving(SECRET, OTHER_SECRET)
    expect(await receive()).toBe('handled')
    expect(refresh).not.toHaveBeenCalled()
  })

  it.each([
    ['one that no longer matches', OTHER_SECRET],
    ['none', undefined],
    ['an empty list', []],
  ])('are asked for anew, once, after %s', async (_, known) => {
    const { receive, refresh } = receiving(known, SECRET)
    expect(await receive()).toBe('handled')
    expect(refresh.mock.calls).toEqual([['orders.place']])
  })

  it.each([
    [OTHER_SECRET, undefined, 'SIGNATURE_MISMATCH'],
    [OTHER_SECRET, `${SECRET}x`, 'SIGNATURE_MISMATCH'],
    [undefined, OTHER_SECRET, 'SIGNATURE_MISMATCH'],
    [undefined, undefined, 'SECRET_UNKNOWN'],
    [undefined, '', 'SECRET_UNKNOWN'],
  ])('refuse what matches neither %j nor, anew, %j', async (known, anew, code) => {
    expect(await receiving(known, anew).receive()).toBe(code)
  })

  it('that fail when asked anew are answered 503, and the delivery comes again', async () => {
    const { receive, refresh } = receiving(OTHER_SECRET, SECRET)
    refresh.mockRejectedValueOnce(new Error('the API is down'))
    expect(await receive()).toBe('STORE_UNAVAILABLE')
    expect(await receive()).toBe('handled')
  })

  it('may have nothing to give anew', async () => {
    const { logger } = recordingLogger()
    const receiver = hooklayer.createReceiver({ secrets: () => OTHER_SECRET, logger })
    expect(codeOf(await receiver.receive(request))).toBe('SIGNATURE_MISMATCH')
  })
})
