import { createReceiver, PermanentError, WebhookError } from 'hooklayer'
import { expect, it } from 'vitest'
import { toFailure } from '../../../src/core/inbox/inbox.ts'
import { CART, recordingLogger, rejection } from '../../deliveries.ts'

const stored = { topic: 'orders.place', body: Buffer.from(JSON.stringify(CART)), receivedAt: new Date() }

async function failWith(...handlers: readonly (readonly [name: string, error: unknown])[]) {
  const receiver = createReceiver({ secrets: () => undefined, logger: recordingLogger().logger })
  for (const [name, error] of handlers) receiver.on('orders.place', { name }, () => Promise.reject(error))
  return toFailure(await rejection(receiver.handleStored(stored)))
}

it('a failure says which handler failed, and what its error said', async () => {
  expect(await failWith(['erp', new Error('The ERP answered 422.')])).toEqual({
    code: 'HANDLER_FAILED',
    message: 'A handler failed.',
    handler: 'erp',
    cause: 'The ERP answered 422.',
    retryable: true,
    excused: false,
  })
})

it('a failure of several handlers names all of them', async () => {
  const failure = await failWith(['erp', new Error('422')], ['mail', 'no connection'], ['log', undefined])
  expect(failure).toMatchObject({ handler: 'erp, mail, log', cause: '422 | no connection | undefined' })
})

it.each([
  ['text', 'no connection', 'no connection'],
  ['nothing', null, 'null'],
])('a failure shows a cause that is %s', async (_, error, cause) => {
  expect(await failWith(['erp', error])).toMatchObject({ handler: 'erp', cause })
})

it('a permanent failure names its handler', async () => {
  const error = new PermanentError('no use', { cause: new Error('deleted') })
  expect(await failWith(['erp', error])).toEqual({
    ...{ code: 'PERMANENT', message: 'no use', handler: 'erp', cause: 'deleted' },
    ...{ retryable: false, excused: false },
  })
})

it('a failure without a handler and without a cause has neither', () => {
  const error = new WebhookError('STORE_UNAVAILABLE')
  expect(toFailure(error)).toEqual({
    code: 'STORE_UNAVAILABLE',
    message: error.message,
    retryable: true,
    excused: true,
  })
})

it('a cause that cannot be shown does not stop anything', () => {
  const hostile = {
    get message() {
      throw new Error('no')
    },
  }
  expect(toFailure(new WebhookError('HANDLER_FAILED', { cause: hostile })).cause).toBe('An error that cannot be shown.')
})
