import { type ErrorHandler, PermanentError, type Receiver, type ReceiverOptions } from 'hooklayer'
import type { WebhookResponse } from 'hooklayer/drivers'
import { describe, expect, it, vi } from 'vitest'
import { CART, delivery, recordingLogger, SECRET, withHeaders } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'
import { waitFor } from '../wait-for.ts'

const request = delivery('orders.place', CART)
const unsigned = withHeaders(request, { 'x-commercelayer-signature': undefined })

function readAnswer({ status, body }: WebhookResponse): unknown {
  const answer = JSON.parse(body)
  return [status, answer.outcome ?? answer.error.code]
}

/** A platform that accepts background work; `ended` resolves when all of it has ended. */
function createPlatform() {
  const accepted: Promise<unknown>[] = []
  return {
    accepted,
    background: (work: Promise<unknown>) => void accepted.push(work),
    ended: () => Promise.all(accepted),
  }
}

describe.each(await inBothRuntimes(() => import('hooklayer')))(
  'a receiver with background work, on %s,',
  (_, hooklayer) => {
    const onError = vi.fn<ErrorHandler>()
    function receiverWith(handler: () => unknown, options: Partial<ReceiverOptions> = {}): Receiver {
      onError.mockClear()
      const { logger } = recordingLogger()
      const receiver = hooklayer.createReceiver({ secrets: { 'orders.place': SECRET }, logger, ...options })
      return receiver.on('orders.place', handler).onError(onError)
    }

    it('answers 202 before a handler starts', async () => {
      const events: string[] = []
      const receiver = receiverWith(() => events.push('handled'))
      const { background, ended } = createPlatform()
      const answer = await receiver.receive(request, { background })
      events.push('answered')
      expect(readAnswer(answer)).toEqual([202, 'queued'])
      await ended()
      expect(events).toEqual(['answered', 'handled'])
      expect(onError).not.toHaveBeenCalled()
    })

    it('runs the handlers before the answer when no `background` is given', async () => {
      const handled = vi.fn()
      const receiver = receiverWith(handled)
      expect(readAnswer(await receiver.receive(request, {}))).toEqual([200, 'handled'])
      expect(readAnswer(await receiver.receive(request, { background: undefined }))).toEqual([200, 'handled'])
      expect(handled).toHaveBeenCalledTimes(2)
    })

    it('passes on one promise for each delivery, which resolves when the handlers have ended', async () => {
      let release = () => {}
      const handler = vi.fn(() => new Promise<void>((resolve) => (release = resolve)))
      const receiver = receiverWith(handler)
      const { background, accepted, ended } = createPlatform()
      await receiver.receive(request, { background })
      expect(accepted).toHaveLength(1)
      const onEnd = vi.fn()
      const end = ended().then(onEnd)
      await waitFor(() => expect(handler).toHaveBeenCalled())
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(onEnd).not.toHaveBeenCalled()
      release()
      await end
    })

    it.each([
      ['throws', new Error('It broke'), 'HANDLER_FAILED'],
      ['discards the event', new PermanentError('no such shop'), undefined],
    ])('calls `onError` when a handler %s, and the work does not reject', async (_case, thrown, code) => {
      const receiver = receiverWith(() => Promise.reject(thrown))
      const { background, ended } = createPlatform()
      expect(readAnswer(await receiver.receive(request, { background }))).toEqual([202, 'queued'])
      expect(onError).not.toHaveBeenCalled()
      await ended()
      const [error, context] = onError.mock.calls[0] ?? []
      expect(code ? error : thrown).toMatchObject(code ? { code, cause: thrown } : { message: 'no such shop' })
      expect(context).toMatchObject({ topic: 'orders.place', event: { topic: 'orders.place' } })
      expect(onError).toHaveBeenCalledTimes(1)
    })

    it('gives the handlers no deadline', async () => {
      const receiver = receiverWith(() => new Promise((resolve) => setTimeout(resolve, 300)), { deadlineMs: 200 })
      const { background, ended } = createPlatform()
      expect(readAnswer(await receiver.receive(request, { background }))).toEqual([202, 'queued'])
      await ended()
      expect(onError).not.toHaveBeenCalled()
    })

    it('refuses a forged or invalid delivery in the answer, and passes no work on', async () => {
      const handled = vi.fn()
      const receiver = receiverWith(handled)
      const { background, accepted } = createPlatform()
      expect(readAnswer(await receiver.receive(unsigned, { background }))).toEqual([401, 'SIGNATURE_MISSING'])
      expect(readAnswer(await receiver.receive(delivery('orders.place', '{}'), { background }))).toEqual([
        400,
        'DOCUMENT_INVALID',
      ])
      expect([accepted, handled.mock.calls]).toEqual([[], []])
    })

    it('answers 500 when the platform refuses the work, and runs no handler', async () => {
      const handled = vi.fn()
      const receiver = receiverWith(handled)
      const cause = new Error('`after` was called outside a request scope')
      const background = () => {
        throw cause
      }
      expect(readAnswer(await receiver.receive(request, { background }))).toEqual([500, 'INTERNAL_ERROR'])
      expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: 'INTERNAL_ERROR', cause })
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(handled).not.toHaveBeenCalled()
      await receiver.close()
    })

    it('waits in `close()` until the work has ended', async () => {
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
      expect(readAnswer(await receiver.receive(request, { background }))).toEqual([503, 'SHUTTING_DOWN'])
    })

    it('counts the work toward `maxInFlight`', async () => {
      let release = () => {}
      const handler = vi.fn(() => new Promise<void>((resolve) => (release = resolve)))
      const receiver = receiverWith(handler, { maxInFlight: 1 })
      const { background, ended } = createPlatform()
      await receiver.receive(request, { background })
      expect(readAnswer(await receiver.receive(request, { background }))).toEqual([503, 'OVERLOADED'])
      await waitFor(() => expect(handler).toHaveBeenCalled())
      release()
      await ended()
      expect(readAnswer(await receiver.receive(request, { background }))).toEqual([202, 'queued'])
    })
  },
)
