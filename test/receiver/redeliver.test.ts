import { setTimeout as sleep } from 'node:timers/promises'
import type { ReceiverOptions, WebhookEvent } from 'hooklayer'
import { describe, expect, it, vi } from 'vitest'
import { CART, delivery, order, recordingLogger, rejection, SECRET } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'

const { logger } = recordingLogger()
const OPTIONS: ReceiverOptions = { secrets: { 'orders.place': SECRET }, logger }

/** The same document with the keys of every object in another order, as an event callback's `payload` has them. */
function reordered(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(reordered)
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reordered(inner)]),
  )
}

describe.each(await inBothRuntimes(() => import('hooklayer')))('a redelivered event, on %s,', (_, hooklayer) => {
  it('reaches the handlers like the original delivery, with the same id', async () => {
    const events: WebhookEvent[] = []
    const receiver = hooklayer.createReceiver(OPTIONS).on('*', (event) => events.push(event))
    await receiver.receive(delivery('orders.place', CART))
    expect(await receiver.redeliver('orders.place', reordered(CART))).toBe('handled')
    const [original, again] = events
    expect(again?.id).toBe(original?.id)
    expect(again?.topic).toBe('orders.place')
    expect(again).toMatchObject({ mode: 'test', organizationId: 'wRPpEFOElR' })
    expect(again?.resource).toEqual(original?.resource)
    expect(JSON.parse(new TextDecoder().decode(again?.rawBody))).toEqual(CART)
    expect(again?.delivery.id).toMatch(/^[0-9a-f]{64}$/)
  })

  it('needs no secret', async () => {
    const handled = vi.fn()
    const receiver = hooklayer.createReceiver(OPTIONS).on('orders.cancel', handled)
    expect(await receiver.redeliver('orders.cancel', CART)).toBe('handled')
    expect(handled).toHaveBeenCalledTimes(1)
  })

  it('is ignored without a handler, and discarded when a handler throws a PermanentError', async () => {
    const receiver = hooklayer.createReceiver(OPTIONS)
    expect(await receiver.redeliver('orders.place', CART)).toBe('ignored')
    receiver.on('orders.place', () => {
      throw new hooklayer.PermanentError('no address')
    })
    expect(await receiver.redeliver('orders.place', CART)).toBe('discarded')
  })

  it.each([
    ['a handler fails', 'HANDLER_FAILED', CART],
    ['the resource has another type', 'TOPIC_MISMATCH', { data: { id: 'a', type: 'customers' } }],
    ['the payload is not a document', 'DOCUMENT_INVALID', { data: {} }],
    ['the payload is undefined', 'DOCUMENT_INVALID', undefined],
    ['the payload is text', 'DOCUMENT_INVALID', JSON.stringify(CART)],
  ])('rejects when %s, and calls `onError`', async (_, code, document) => {
    const onError = vi.fn()
    const receiver = hooklayer.createReceiver(OPTIONS).onError(onError)
    receiver.on('orders.place', () => {
      throw new Error('database')
    })
    const error = await rejection(receiver.redeliver('orders.place', document))
    expect(error).toMatchObject({ name: 'WebhookError', code })
    expect(onError).toHaveBeenCalledWith(error, expect.objectContaining({ topic: 'orders.place' }))
  })

  it('has no deadline', async () => {
    const receiver = hooklayer.createReceiver({ ...OPTIONS, deadlineMs: 10 })
    receiver.on('orders.place', async (_, { signal }) => {
      await sleep(60)
      if (signal.aborted) throw new Error('aborted')
    })
    expect(await receiver.redeliver('orders.place', CART)).toBe('handled')
  })

  it('takes no place, is awaited by `close`, and is refused afterward', async () => {
    const receiver = hooklayer.createReceiver({ ...OPTIONS, maxInFlight: 1 })
    let isHandled = false
    receiver.on('orders.place', async () => {
      await sleep(30)
      isHandled = true
    })
    const first = receiver.redeliver('orders.place', CART)
    const second = receiver.redeliver('orders.place', CART)
    await receiver.close()
    expect(isHandled).toBe(true)
    expect([await first, await second]).toEqual(['handled', 'handled'])
    expect(await rejection(receiver.redeliver('orders.place', CART))).toMatchObject({ code: 'SHUTTING_DOWN' })
  })

  it('has the id that `eventIdOf` computes without a receiver', async () => {
    const ids: string[] = []
    const receiver = hooklayer.createReceiver(OPTIONS).on('*', ({ id }) => ids.push(id))
    await receiver.receive(delivery('orders.place', CART))
    expect(await hooklayer.eventIdOf('orders.place', reordered(CART))).toBe(ids[0])
    expect(await hooklayer.eventIdOf('orders.pay', CART)).not.toBe(ids[0])
    expect(await hooklayer.eventIdOf('orders.place', { data: order() })).not.toBe(ids[0])
    expect(await rejection(hooklayer.eventIdOf('orders.place', {}))).toMatchObject({ code: 'DOCUMENT_INVALID' })
  })
})
