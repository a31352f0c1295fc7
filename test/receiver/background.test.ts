import { type ErrorHandler, PermanentError, type Receiver, type ReceiverOptions, type WebhookResponse } from 'hooklayer'
import { describe, expect, it, vi } from 'vitest'
import { CART, delivery, recordingLogger, SECRET, withHeaders } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'

const request = delivery('orders.place', CART)
const unsigned = withHeaders(request, { 'x-commercelayer-signature': undefined })

function answered({ status, body }: WebhookResponse): unknown {
  const answer = JSON.parse(body)
  return [status, answer.outcome ?? answer.error.code]
}

/** What a platform gives: it takes work, and this one says when all of it has ended. */
function createPlatform() {
  const taken: Promise<unknown>[] = []
  return { taken, background: (work: Promise<unknown>) => void taken.push(work), ended: () => Promise.all(taken) }
}

describe.each(await inBothRuntimes(() => import('hooklayer')))(
  'a receiver on %s, in the background,',
  (_, hooklayer) => {
    const told = vi.fn<ErrorHandler>()
    function receiverWith(handler: () => unknown, options: Partial<ReceiverOptions> = {}): Receiver {
      told.mockClear()
      const { logger } = recordingLogger()
      const receiver = hooklayer.createReceiver({ secrets: { 'orders.place': SECRET }, logger, ...options })
      return receiver.on('orders.place', handler).onError(told)
    }

    it('answers 202 before a handler has begun', async () => {
      const events: string[] = []
      const receiver = receiverWith(() => events.push('handled'))
      const { background, ended } = createPlatform()
      const answer = await receiver.receive(request, { background })
      events.push('answered')
      expect(answered(answer)).toEqual([202, 'queued'])
      await ended()
      expect(events).toEqual(['answered', 'handled'])
      expect(told).not.toHaveBeenCalled()
    })

    it('runs the handlers first where nothing says otherwise', async () => {
      const handled = vi.fn()
      const receiver = receiverWith(handled)
      expect(answered(await receiver.receive(request, {}))).toEqual([200, 'handled'])
      expect(answered(await receiver.receive(request, { background: undefined }))).toEqual([200, 'handled'])
      expect(handled).toHaveBeenCalledTimes(2)
    })

    it('hands over work that ends with the handlers, and one a delivery', async () => {
      let release = () => {}
      const receiver = receiverWith(() => new Promise<void>((resolve) => (release = resolve)))
      const { background, taken, ended } = createPlatform()
      await receiver.receive(request, { background })
      expect(taken).toHaveLength(1)
      const over = vi.fn()
      const end = ended().then(over)
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(over).not.toHaveBeenCalled()
      release()
      await end
    })

    it.each([
      ['throws', new Error('It broke'), 'HANDLER_FAILED'],
      ['discards the event', new PermanentError('no such shop'), undefined],
    ])('tells `onError` of a handler that %s, and the work does not reject', async (_case, thrown, code) => {
      const receiver = receiverWith(() => Promise.reject(thrown))
      const { background, ended } = createPlatform()
      expect(answered(await receiver.receive(request, { background }))).toEqual([202, 'queued'])
      expect(told).not.toHaveBeenCalled()
      await ended()
      const [error, context] = told.mock.calls[0] ?? []
      expect(code ? error : thrown).toMatchObject(code ? { code, cause: thrown } : { message: 'no such shop' })
      expect(context).toMatchObject({ topic: 'orders.place', event: { topic: 'orders.place' } })
      expect(told).toHaveBeenCalledTimes(1)
    })

    it('gives the handlers no deadline', async () => {
      const receiver = receiverWith(() => new Promise((resolve) => setTimeout(resolve, 100)), { deadlineMs: 30 })
      const { background, ended } = createPlatform()
      expect(answered(await receiver.receive(request, { background }))).toEqual([202, 'queued'])
      await ended()
      expect(told).not.toHaveBeenCalled()
    })

    it('refuses with the answer what is not genuine, and hands over nothing', async () => {
      const handled = vi.fn()
      const receiver = receiverWith(handled)
      const { background, taken } = createPlatform()
      expect(answered(await receiver.receive(unsigned, { background }))).toEqual([401, 'SIGNATURE_MISSING'])
      expect(answered(await receiver.receive(delivery('orders.place', '{}'), { background }))).toEqual([
        400,
        'DOCUMENT_INVALID',
      ])
      expect([taken, handled.mock.calls]).toEqual([[], []])
    })

    it('answers 500 where the platform does not take the work, and runs no handler', async () => {
      const handled = vi.fn()
      const receiver = receiverWith(handled)
      const cause = new Error('`after` was called outside a request scope')
      const background = () => {
        throw cause
      }
      expect(answered(await receiver.receive(request, { background }))).toEqual([500, 'HANDLER_FAILED'])
      expect(told.mock.calls[0]?.[0]).toMatchObject({ code: 'HANDLER_FAILED', cause })
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(handled).not.toHaveBeenCalled()
      await receiver.close()
    })

    it('holds `close()` back until the work has ended', async () => {
      const events: string[] = []
      const receiver = receiverWith(async () => {
        await new Promise((resolve) => setTimeout(resolve, 40))
        events.push('handled')
      })
      const { background } = createPlatform()
      await receiver.receive(request, { background })
      await receiver.close()
      events.push('closed')
      expect(events).toEqual(['handled', 'closed'])
      expect(answered(await receiver.receive(request, { background }))).toEqual([503, 'SHUTTING_DOWN'])
    })

    it('counts the work towards `maxInFlight`', async () => {
      let release = () => {}
      const receiver = receiverWith(() => new Promise<void>((resolve) => (release = resolve)), { maxInFlight: 1 })
      const { background, ended } = createPlatform()
      await receiver.receive(request, { background })
      expect(answered(await receiver.receive(request, { background }))).toEqual([503, 'OVERLOADED'])
      await new Promise((resolve) => setTimeout(resolve, 10))
      release()
      await ended()
      expect(answered(await receiver.receive(request, { background }))).toEqual([202, 'queued'])
    })
  },
)
