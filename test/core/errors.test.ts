import { createReceiver, isWebhookError, PermanentError, WebhookError } from 'hooklayer'
import { describe, expect, it } from 'vitest'
import { isPermanentError, toWebhookError } from '../../src/core/errors.ts'
import { bytes, delivery, recordingLogger, SECRET, thrownBy } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'

describe('a WebhookError', () => {
  it('has the code, the status, `retryable` and the message of the table of errors', () => {
    const error = new WebhookError('STORE_UNAVAILABLE')
    expect(error).toMatchObject({ name: 'WebhookError', code: 'STORE_UNAVAILABLE', status: 503, retryable: true })
    expect(error.message).toMatch(/\w/)
    expect(error.hint).toBeUndefined()
    expect(error).not.toHaveProperty('cause')
    expect(error).toBeInstanceOf(Error)
  })

  it('can be given a message, a hint and a cause', () => {
    const options = { message: 'message', hint: 'hint', cause: undefined }
    const error = new WebhookError('BODY_ALREADY_PARSED', options)
    expect(error).toMatchObject({ message: 'message', hint: 'hint', status: 500 })
    expect(error).toHaveProperty('cause', undefined)
  })

  it('is recognized whichever copy of the package made it', async () => {
    for (const [, copy] of await inBothRuntimes(() => import('hooklayer'))) {
      const error = new copy.WebhookError('OVERLOADED')
      expect(error).not.toBeInstanceOf(WebhookError)
      expect(isWebhookError(error)).toBe(true)
      expect(toWebhookError(error)).toBe(error)
      expect(isPermanentError(new copy.PermanentError('gone'))).toBe(true)
    }
  })

  it.each([
    ['an Error', new Error('x')],
    ['a PermanentError', new PermanentError('x')],
    ['an object that looks like a WebhookError', { name: 'WebhookError', code: 'OVERLOADED', status: 503 }],
    ['text', 'WebhookError'],
    ['null', null],
    ['undefined', undefined],
    ['a function', () => {}],
  ])('is not confused with %s', (_, thrown) => {
    expect(isWebhookError(thrown)).toBe(false)
  })

  it('cannot be made with a code that is not in the table of errors', () => {
    expect(thrownBy(() => new WebhookError('NO_SUCH_CODE' as never))).toBeInstanceOf(TypeError)
  })
})

describe('a PermanentError', () => {
  it('keeps message and cause', () => {
    const error = new PermanentError('gone for good', { cause: 1 })
    expect(error).toMatchObject({ name: 'PermanentError', message: 'gone for good', cause: 1 })
    expect(isPermanentError(error)).toBe(true)
    expect(isPermanentError(new Error('gone for good'))).toBe(false)
  })

  it('is recognized by a receiver from another copy of the package', async () => {
    const [, [, copy]] = (await inBothRuntimes(() => import('hooklayer'))) as [
      unknown,
      [string, typeof import('hooklayer')],
    ]
    const receiver = createReceiver({ secrets: SECRET, logger: recordingLogger().logger }).on('orders.place', () => {
      throw new copy.PermanentError('gone for good')
    })
    const answer = await receiver.receive(delivery('orders.place', { data: { id: 'a', type: 'orders' } }))
    expect(answer).toMatchObject({ status: 200, body: '{"outcome":"discarded"}' })
  })
})

describe('toWebhookError', () => {
  it.each([
    ['an Error', new Error('x')],
    ['an Error with a status', Object.assign(new Error('x'), { status: 404, statusCode: 404 })],
    ['text', 'x'],
    ['null', null],
    ['undefined', undefined],
    ['bytes', bytes('x')],
  ])('makes an INTERNAL_ERROR with the thrown value as its cause: %s', (_, thrown) => {
    const error = toWebhookError(thrown)
    expect(error).toMatchObject({ code: 'INTERNAL_ERROR', status: 500 })
    expect(error.cause).toBe(thrown)
    expect(error.message).not.toBe('x')
  })

  it('makes an INTERNAL_ERROR of a thrown value that throws when it is inspected', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(isWebhookError(proxy)).toBe(false)
    expect(toWebhookError(proxy)).toMatchObject({ code: 'INTERNAL_ERROR' })
  })
})
