import { setTimeout as sleep } from 'node:timers/promises'
import type { ErrorHandler, Inbox, Receiver, ReceiverOptions } from 'hooklayer'
import type { StoredDelivery, WebhookResponse } from 'hooklayer/drivers'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { describe, expect, it, vi } from 'vitest'
import { CART, delivery, OTHER_SECRET, order, recordingLogger, rejection, SECRET } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'

const PLACED = delivery('orders.place', CART)

function answered({ status, body }: WebhookResponse): string {
  const { outcome, error } = JSON.parse(body)
  return `${status} ${outcome ?? error.code}`
}

/** The side of an inbox that the receiver sees, as it fares with the delivery: what it stored can be looked at. */
function inboxWith(put: (delivery: StoredDelivery) => ReturnType<Inbox['put']>) {
  const stored: StoredDelivery[] = []
  const inbox = {
    put: async (one: StoredDelivery) => {
      const result = await put(one)
      if (result === 'stored') stored.push(one)
      return result
    },
  } as Inbox
  return { inbox, stored }
}

describe.each(await inBothRuntimes(() => import('hooklayer')))('a receiver with an inbox, on %s,', (_, hooklayer) => {
  function receiverWith(options: Partial<ReceiverOptions>): { receiver: Receiver; messages: () => string[] } {
    const { logger, messages } = recordingLogger()
    const receiver = hooklayer.createReceiver({ secrets: { 'orders.place': SECRET }, logger, ...options })
    return { receiver, messages }
  }

  it('stores a delivery as it came, answers 202, and runs no handler', async () => {
    const handler = vi.fn()
    const { inbox, stored } = inboxWith(async () => 'stored')
    const { receiver } = receiverWith({ inbox })
    expect(answered(await receiver.on('*', handler).receive(PLACED))).toBe('202 queued')
    expect(stored).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{64}$/),
        topic: 'orders.place',
        body: PLACED.body,
        receivedAt: expect.any(Date),
        group: undefined,
      },
    ])
    expect(handler).not.toHaveBeenCalled()
  })

  it('does not answer before it is stored', async () => {
    let isStored = false
    const { inbox } = inboxWith(() =>
      sleep(30).then(() => {
        isStored = true
        return 'stored' as const
      }),
    )
    await receiverWith({ inbox }).receiver.receive(PLACED)
    expect(isStored).toBe(true)
  })

  it('gives deliveries with the same bytes the same id, and others another', async () => {
    const { inbox, stored } = inboxWith(async () => 'stored')
    const { receiver } = receiverWith({ inbox, secrets: SECRET })
    for (const one of [PLACED, PLACED, delivery('orders.pay', CART), delivery('orders.place', { data: order() })])
      await receiver.receive(one)
    const [first, same, ...others] = stored.map(({ id }) => id)
    expect(same).toBe(first)
    expect(new Set([first, ...others]).size).toBe(3)
  })

  it('acknowledges what the inbox knows, and refuses what it has no room for', async () => {
    const duplicate = receiverWith({ inbox: inboxWith(async () => 'duplicate').inbox })
    expect(answered(await duplicate.receiver.receive(PLACED))).toBe('200 duplicate')
    const full = receiverWith({ inbox: inboxWith(async () => 'full').inbox })
    expect(answered(await full.receiver.receive(PLACED))).toBe('503 OVERLOADED')
  })

  it.each<[string, () => Promise<never>]>([
    ['rejects', () => Promise.reject(new Error('disk full'))],
    [
      'throws',
      () => {
        throw new Error('disk full')
      },
    ],
    ['hangs', () => new Promise(() => {})],
  ])('answers 503 when the inbox %s', async (_, put) => {
    const told = vi.fn<ErrorHandler>()
    const { receiver } = receiverWith({ inbox: { put } as unknown as Inbox, deadlineMs: 100 })
    const answer = await receiver.onError(told).receive(PLACED)
    expect(answered(answer)).toBe('503 STORE_UNAVAILABLE')
    expect(answer.body).not.toContain('disk')
    expect(told.mock.calls[0]?.[0]).toMatchObject({ hint: 'The inbox failed.' })
  })

  it('stores nothing that is not genuine', async () => {
    const { inbox, stored } = inboxWith(async () => 'stored')
    const { receiver } = receiverWith({ inbox })
    expect(answered(await receiver.receive(delivery('orders.place', CART, OTHER_SECRET)))).toBe(
      '401 SIGNATURE_MISMATCH',
    )
    expect(stored).toEqual([])
  })

  it('stores what is genuine and no document: that is for a worker to find out', async () => {
    const { inbox, stored } = inboxWith(async () => 'stored')
    const { receiver } = receiverWith({ inbox, ordering: 'resource' })
    expect(answered(await receiver.receive(delivery('orders.place', 'no JSON')))).toBe('202 queued')
    expect(stored[0]?.group).toBeUndefined()
  })

  it('says which resource a delivery is about where the order is to be kept', async () => {
    const { inbox, stored } = inboxWith(async () => 'stored')
    await receiverWith({ inbox, ordering: 'resource' }).receiver.receive(PLACED)
    expect(stored[0]?.group).toBe('orders/NrlYhpzLKA')
  })

  it('runs the handlers itself in the mode `on-failures`, until a topic has failed 20 times in a row', async () => {
    const { inbox, stored } = inboxWith(async () => 'stored')
    const { receiver, messages } = receiverWith({ inbox, inboxMode: 'on-failures', secrets: SECRET })
    const inRow: number[] = []
    receiver.onError((_, { consecutiveFailures }) => inRow.push(consecutiveFailures))
    receiver.on('orders.place', () => Promise.reject(new Error('database')))
    const answers: string[] = []
    for (let i = 0; i < 22; i++) answers.push(answered(await receiver.receive(PLACED)))
    expect(answers).toEqual([...Array(20).fill('500 HANDLER_FAILED'), '202 queued', '202 queued'])
    expect(stored).toHaveLength(2)
    expect(inRow).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
    expect(messages().filter((message) => message.includes('in a row'))).toHaveLength(2)
    expect(answered(await receiver.receive(delivery('orders.pay', CART)))).toBe('200 ignored')
  })

  it('counts nothing that was forged towards the breaker', async () => {
    const { receiver } = receiverWith({})
    const inRow: number[] = []
    receiver.onError((_, { consecutiveFailures }) => inRow.push(consecutiveFailures))
    for (let i = 0; i < 3; i++) await receiver.receive(delivery('orders.place', CART, OTHER_SECRET))
    await receiver.receive(delivery('orders.place', 'no JSON'))
    expect(inRow).toEqual([0, 0, 0, 1])
  })
})

describe.each(await inBothRuntimes(() => import('hooklayer')))('what was stored, on %s,', (_, hooklayer) => {
  const stored = { topic: 'orders.place', body: PLACED.body, receivedAt: new Date(0) }
  const receiverWith = (handler: (...args: never[]) => unknown) =>
    hooklayer
      .createReceiver({ secrets: () => undefined, logger: recordingLogger().logger, deadlineMs: 20 })
      .on('*', handler as never)

  it('is handled as if it had just come, without a secret or a deadline', async () => {
    const seen: unknown[] = []
    const receiver = receiverWith(
      async ({ topic, receivedAt, resource }: { topic: string; receivedAt: Date; resource: { number: string } }) => {
        await sleep(40)
        seen.push([topic, receivedAt.getTime(), resource.number])
      },
    )
    await receiver.handleStored(stored)
    expect(seen).toEqual([['orders.place', 0, '2001']])
  })

  it('is done with where nobody listens', async () => {
    const receiver = hooklayer.createReceiver({ secrets: () => undefined, logger: recordingLogger().logger })
    expect(await receiver.handleStored(stored)).toBeUndefined()
  })

  it.each([
    ['a failure', { code: 'HANDLER_FAILED', retryable: true }, stored],
    [
      'a document that is none',
      { code: 'DOCUMENT_INVALID', retryable: false },
      { ...stored, body: PLACED.body.slice(9) },
    ],
    [
      'a resource of another type',
      { code: 'TOPIC_MISMATCH', retryable: false },
      { ...stored, topic: 'customers.create' },
    ],
  ])('rejects with %s', async (_, error, one) => {
    const receiver = receiverWith(() => Promise.reject(new Error('database')))
    expect(await rejection(receiver.handleStored(one))).toMatchObject(error)
  })

  it('rejects with the permanent error of a handler', async () => {
    const permanent = new hooklayer.PermanentError('no address')
    expect(await rejection(receiverWith(() => Promise.reject(permanent)).handleStored(stored))).toBe(permanent)
  })

  it('is told to stop by the signal of whoever has it processed', async () => {
    const controller = new AbortController()
    let begin = () => {}
    const begun = new Promise<void>((resolve) => {
      begin = resolve
    })
    const receiver = receiverWith((_: unknown, { signal }: { signal: AbortSignal }) => {
      begin()
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    const processed = receiver.handleStored(stored, { signal: controller.signal })
    await begun
    controller.abort()
    expect(await rejection(processed)).toMatchObject({ code: 'HANDLER_FAILED', cause: { code: 'SHUTTING_DOWN' } })
  })

  it('is left alone if that signal was aborted before', async () => {
    const seen: unknown[] = []
    const receiver = receiverWith(() => seen.push('handled'))
    const refusal = await rejection(receiver.handleStored(stored, { signal: AbortSignal.abort() }))
    expect([refusal, seen]).toEqual([expect.objectContaining({ code: 'SHUTTING_DOWN' }), []])
  })

  it('is told to stop if that signal is aborted while its event is claimed', async () => {
    const controller = new AbortController()
    const store = createMemoryStore()
    const reserve: typeof store.reserve = (key, claim) => {
      controller.abort()
      return store.reserve(key, claim)
    }
    const receiver = hooklayer
      .createReceiver({
        secrets: () => undefined,
        logger: recordingLogger().logger,
        idempotency: { store: { ...store, reserve } },
      })
      .on('*', (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', reject)))
    expect(await rejection(receiver.handleStored(stored, { signal: controller.signal }))).toMatchObject({
      code: 'HANDLER_FAILED',
    })
  })

  it('is refused after the receiver was closed', async () => {
    const receiver = receiverWith(() => {})
    await receiver.close()
    expect(await rejection(receiver.handleStored(stored))).toMatchObject({ code: 'SHUTTING_DOWN' })
  })
})

describe('the inbox of a receiver is refused', async () => {
  const { createReceiver } = await import('hooklayer')
  it.each([
    ['without `put`', { inbox: {} }, /`put`/],
    ['when an order is to be kept without one', { ordering: 'resource' }, /`inbox`/],
    ['when it is for failures only and there is none', { inboxMode: 'on-failures' }, /`inbox`/],
    ['with another word for the order', { inbox: { put() {} }, ordering: 'topic' }, /`ordering`/],
  ])('%s', (_, options, message) => {
    const make = () => createReceiver({ secrets: SECRET, ...(options as object) } as ReceiverOptions)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
  })
})
