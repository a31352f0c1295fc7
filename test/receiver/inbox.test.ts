import { setTimeout as sleep } from 'node:timers/promises'
import type { ErrorHandler, Inbox, Receiver, ReceiverOptions } from 'hooklayer'
import type { StoredDelivery, WebhookResponse } from 'hooklayer/drivers'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { describe, expect, it, vi } from 'vitest'
import { CART, delivery, OTHER_SECRET, order, recordingLogger, rejection, SECRET, thrownBy } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'
import { waitFor } from '../wait-for.ts'

const PLACED = delivery('orders.place', CART)

function readAnswer({ status, body }: WebhookResponse): string {
  const { outcome, error } = JSON.parse(body)
  return `${status} ${outcome ?? error.code}`
}

/** An inbox for a receiver, with this `put`. `stored` holds the deliveries that it has stored. */
function createTestInbox(put: (delivery: StoredDelivery) => ReturnType<Inbox['put']>) {
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

  it('stores a delivery as received, answers 202, and runs no handler', async () => {
    const handler = vi.fn()
    const { inbox, stored } = createTestInbox(async () => 'stored')
    const { receiver } = receiverWith({ inbox })
    expect(readAnswer(await receiver.on('*', handler).receive(PLACED))).toBe('202 queued')
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

  it('does not answer before the delivery is stored', async () => {
    let isStored = false
    const { inbox } = createTestInbox(() =>
      sleep(30).then(() => {
        isStored = true
        return 'stored' as const
      }),
    )
    await receiverWith({ inbox }).receiver.receive(PLACED)
    expect(isStored).toBe(true)
  })

  it('gives the same id to deliveries with the same topic and bytes, and another id to others', async () => {
    const { inbox, stored } = createTestInbox(async () => 'stored')
    const { receiver } = receiverWith({ inbox, secrets: SECRET })
    for (const one of [PLACED, PLACED, delivery('orders.pay', CART), delivery('orders.place', { data: order() })])
      await receiver.receive(one)
    const [first, same, ...others] = stored.map(({ id }) => id)
    expect(same).toBe(first)
    expect(new Set([first, ...others]).size).toBe(3)
  })

  it('answers 200 when the inbox has the delivery already, and 503 when it is full', async () => {
    const duplicate = receiverWith({ inbox: createTestInbox(async () => 'duplicate').inbox })
    expect(readAnswer(await duplicate.receiver.receive(PLACED))).toBe('200 duplicate')
    const full = receiverWith({ inbox: createTestInbox(async () => 'full').inbox })
    expect(readAnswer(await full.receiver.receive(PLACED))).toBe('503 OVERLOADED')
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
    const onError = vi.fn<ErrorHandler>()
    const { receiver } = receiverWith({ inbox: { put } as unknown as Inbox, deadlineMs: 100 })
    const answer = await receiver.onError(onError).receive(PLACED)
    expect(readAnswer(answer)).toBe('503 STORE_UNAVAILABLE')
    expect(answer.body).not.toContain('disk')
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ hint: 'The inbox failed.' })
  })

  it('does not store a forged delivery', async () => {
    const { inbox, stored } = createTestInbox(async () => 'stored')
    const { receiver } = receiverWith({ inbox })
    expect(readAnswer(await receiver.receive(delivery('orders.place', CART, OTHER_SECRET)))).toBe(
      '401 SIGNATURE_MISMATCH',
    )
    expect(stored).toEqual([])
  })

  it('stores a genuine delivery whose body is not a document, and leaves the error to a worker', async () => {
    const { inbox, stored } = createTestInbox(async () => 'stored')
    const { receiver } = receiverWith({ inbox, ordering: 'resource' })
    expect(readAnswer(await receiver.receive(delivery('orders.place', 'no JSON')))).toBe('202 queued')
    expect(stored[0]?.group).toBeUndefined()
  })

  it('stores a delivery with its resource as the group when `ordering` is `resource`', async () => {
    const { inbox, stored } = createTestInbox(async () => 'stored')
    await receiverWith({ inbox, ordering: 'resource' }).receiver.receive(PLACED)
    expect(stored[0]?.group).toBe('orders/NrlYhpzLKA')
  })

  it('runs the handlers itself in the mode `on-failures`, until a topic has failed 20 times in a row', async () => {
    const { inbox, stored } = createTestInbox(async () => 'stored')
    const { receiver, messages } = receiverWith({ inbox, inboxMode: 'on-failures', secrets: SECRET })
    const failureCounts: number[] = []
    receiver.onError((_, { consecutiveFailures }) => failureCounts.push(consecutiveFailures))
    receiver.on('orders.place', () => Promise.reject(new Error('database')))
    const answers: string[] = []
    for (let i = 0; i < 22; i++) answers.push(readAnswer(await receiver.receive(PLACED)))
    expect(answers).toEqual([...Array(20).fill('500 HANDLER_FAILED'), '202 queued', '202 queued'])
    expect(stored).toHaveLength(2)
    expect(failureCounts).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
    expect(messages().filter((message) => message.includes('in a row'))).toHaveLength(2)
    expect(readAnswer(await receiver.receive(delivery('orders.pay', CART)))).toBe('200 ignored')
  })

  it('does not count forged deliveries toward the circuit breaker', async () => {
    const { receiver } = receiverWith({})
    const failureCounts: number[] = []
    receiver.onError((_, { consecutiveFailures }) => failureCounts.push(consecutiveFailures), { unverified: true })
    for (let i = 0; i < 3; i++) await receiver.receive(delivery('orders.place', CART, OTHER_SECRET))
    await waitFor(() => expect(failureCounts).toHaveLength(3))
    await receiver.receive(delivery('orders.place', 'no JSON'))
    expect(failureCounts).toEqual([0, 0, 0, 1])
  })
})

describe.each(await inBothRuntimes(() => import('hooklayer')))('a stored delivery, on %s,', (_, hooklayer) => {
  const stored = { topic: 'orders.place', body: PLACED.body, receivedAt: new Date(0) }
  const receiverWith = (handler: (...args: never[]) => unknown) =>
    hooklayer
      .createReceiver({ secrets: () => undefined, logger: recordingLogger().logger, deadlineMs: 20 })
      .on('*', handler as never)

  it('is handled like a received one, without a secret or a deadline', async () => {
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

  it('is not resolved as handled when no handler is registered for its topic', async () => {
    const receiver = hooklayer.createReceiver({ secrets: () => undefined, logger: recordingLogger().logger })
    const noHandler = { code: 'NO_HANDLER', status: 503, retryable: true }
    expect(await rejection(receiver.handleStored(stored))).toMatchObject(noHandler)
    receiver.on('orders.*', () => {})
    expect(await receiver.handleStored(stored)).toBeUndefined()
  })

  it.each([
    ['a failed handler', { code: 'HANDLER_FAILED', retryable: true }, stored],
    ['an invalid document', { code: 'DOCUMENT_INVALID', retryable: false }, { ...stored, body: PLACED.body.slice(9) }],
    [
      'a resource of another type',
      { code: 'TOPIC_MISMATCH', retryable: false },
      { ...stored, topic: 'customers.create' },
    ],
  ])('rejects because of %s', async (_, error, one) => {
    const receiver = receiverWith(() => Promise.reject(new Error('database')))
    expect(await rejection(receiver.handleStored(one))).toMatchObject(error)
  })

  it.each([
    ['a topic that is none', { topic: 'orders' }, 'TOPIC_INVALID', 'The stored topic is malformed.'],
    ['a topic that is not text', { topic: ['orders.place'] }, 'TOPIC_INVALID', 'The stored topic is malformed.'],
    ['a body that is text', { body: '{}' }, 'BODY_DAMAGED', 'The body that was stored is not a Uint8Array.'],
    [
      'a body that was serialized',
      { body: { type: 'Buffer', data: [1] } },
      'BODY_DAMAGED',
      'The body that was stored is not a Uint8Array.',
    ],
    [
      'a date that is none',
      { receivedAt: new Date('no date') },
      'BODY_DAMAGED',
      'The `receivedAt` that was stored is not a date.',
    ],
    ['a date that is text', { receivedAt: '2026' }, 'BODY_DAMAGED', 'The `receivedAt` that was stored is not a date.'],
  ])('is not handled with %s, and not tried again', async (_, change, code, message) => {
    const handler = vi.fn()
    const one = { ...stored, ...change } as never
    expect(await rejection(receiverWith(handler).handleStored(one))).toMatchObject({ code, message, retryable: false })
    expect(handler).not.toHaveBeenCalled()
  })

  it('does not bring a topic that is none into the log or to `onError`', async () => {
    const { logger, messages } = recordingLogger()
    const topics: unknown[] = []
    const receiver = hooklayer.createReceiver({ secrets: () => undefined, logger })
    receiver.onError((_, { topic }) => topics.push(topic))
    await rejection(receiver.handleStored({ ...stored, topic: 'FORGED\nLINE' }))
    expect(messages().join()).not.toContain('FORGED')
    expect(topics).toEqual([undefined])
  })

  it('rejects with the permanent error of a handler', async () => {
    const permanent = new hooklayer.PermanentError('no address')
    expect(await rejection(receiverWith(() => Promise.reject(permanent)).handleStored(stored))).toBe(permanent)
  })

  it('has its handlers aborted when the signal of the attempt is aborted', async () => {
    const controller = new AbortController()
    let start = () => {}
    const started = new Promise<void>((resolve) => {
      start = resolve
    })
    const receiver = receiverWith((_: unknown, { signal }: { signal: AbortSignal }) => {
      start()
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    const handling = receiver.handleStored(stored, { signal: controller.signal })
    await started
    controller.abort()
    expect(await rejection(handling)).toMatchObject({ code: 'HANDLER_FAILED', cause: { code: 'SHUTTING_DOWN' } })
  })

  it('gives its handlers the reason of the worker', async () => {
    const controller = new AbortController()
    const receiver = receiverWith((_: unknown, { signal }: { signal: AbortSignal }) => {
      const ended = new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      setTimeout(() => controller.abort(new hooklayer.WebhookError('DEADLINE_EXCEEDED')))
      return ended
    })
    const handling = receiver.handleStored(stored, { signal: controller.signal })
    expect(await rejection(handling)).toMatchObject({ code: 'HANDLER_FAILED', cause: { code: 'DEADLINE_EXCEEDED' } })
  })

  it('is not handled when the signal of the attempt was aborted before', async () => {
    const seen: unknown[] = []
    const receiver = receiverWith(() => seen.push('handled'))
    const refusal = await rejection(receiver.handleStored(stored, { signal: AbortSignal.abort() }))
    expect([refusal, seen]).toEqual([expect.objectContaining({ code: 'SHUTTING_DOWN' }), []])
  })

  it('has its handlers aborted when the signal of the attempt is aborted while the event is reserved', async () => {
    const controller = new AbortController()
    const store = createMemoryStore()
    const reserve: typeof store.reserve = (...args) => {
      controller.abort()
      return store.reserve(...args)
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

describe('the inbox options of a receiver are refused', async () => {
  const { createReceiver } = await import('hooklayer')
  it.each([
    ['with an inbox that has no `put`', { inbox: {} }, /`put`/],
    ['with `ordering` and no inbox', { ordering: 'resource' }, /`inbox`/],
    ['with `inboxMode` and no inbox', { inboxMode: 'on-failures' }, /`inbox`/],
    ['with an unknown value of `ordering`', { inbox: { put() {} }, ordering: 'topic' }, /`ordering`/],
  ])('%s', (_, options, message) => {
    const make = () => createReceiver({ secrets: SECRET, ...(options as object) } as ReceiverOptions)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
  })
})

const KEY = 'a key of the shop, which is not in the database'
const OLD_KEY = 'the key that the shop had before it was replaced'

describe.each(await inBothRuntimes(() => import('hooklayer')))('`verifyStored`, on %s,', (_, hooklayer) => {
  function createShop(verifyStored: ReceiverOptions['verifyStored']) {
    const { logger, messages } = recordingLogger()
    const { inbox, stored } = createTestInbox(async () => 'stored')
    const handler = vi.fn()
    const receiver = hooklayer.createReceiver({ secrets: { 'orders.place': SECRET }, inbox, logger, verifyStored })
    receiver.on('*', handler)
    return { receiver, handler, stored, messages }
  }

  async function storeOne(verifyStored: ReceiverOptions['verifyStored']): Promise<StoredDelivery> {
    const { receiver, stored } = createShop(verifyStored)
    expect(readAnswer(await receiver.receive(PLACED))).toBe('202 queued')
    const [one] = stored
    if (!one) throw new Error('Nothing was stored.')
    return one
  }

  it('signs what is stored, and handles it', async () => {
    const one = await storeOne({ key: KEY })
    expect(one.signature).toMatch(/^[\w+/]{43}=$/)
    const { receiver, handler, messages } = createShop({ key: KEY, unsigned: 'refuse' })
    await receiver.handleStored(one)
    expect(handler).toHaveBeenCalledTimes(1)
    expect(messages()).toEqual(['orders.place handled'])
  })

  it('stores no signature without a key', async () => {
    expect(await storeOne(undefined)).not.toHaveProperty('signature')
  })

  it('accepts each key while one replaces another', async () => {
    const one = await storeOne({ key: OLD_KEY })
    const { receiver, handler } = createShop({ key: [KEY, OLD_KEY] })
    await receiver.handleStored(one)
    await receiver.handleStored(await storeOne({ key: [KEY, OLD_KEY] }))
    expect(handler).toHaveBeenCalledTimes(2)
  })

  it.each([
    ['another topic', (one: StoredDelivery) => ({ ...one, topic: 'orders.approve' })],
    ['another body', (one: StoredDelivery) => ({ ...one, body: one.body.map((byte) => (byte === 50 ? 51 : byte)) })],
    ['another signature', (one: StoredDelivery) => ({ ...one, signature: one.signature?.replace(/^./, '#') })],
    ['an empty signature', (one: StoredDelivery) => ({ ...one, signature: '' })],
    ['a signature that is none', (one: StoredDelivery) => ({ ...one, signature: 7 as never })],
  ])('refuses %s, and does not try it again', async (_, change) => {
    const { receiver, handler } = createShop({ key: KEY })
    const error = { code: 'SIGNATURE_MISMATCH', retryable: false }
    expect(await rejection(receiver.handleStored(change(await storeOne({ key: KEY }))))).toMatchObject(error)
    expect(handler).not.toHaveBeenCalled()
  })

  it('refuses the signature of a webhook, even if its secret is the key', async () => {
    const { receiver, handler } = createShop({ key: KEY })
    const body = PLACED.body as Uint8Array
    const signature = await hooklayer.sign(body, KEY)
    const one = { topic: 'orders.place', body, receivedAt: new Date(), signature }
    expect(await rejection(receiver.handleStored(one))).toMatchObject({ code: 'SIGNATURE_MISMATCH' })
    expect(handler).not.toHaveBeenCalled()
  })

  it('accepts what was stored before, with one warning a minute, or refuses it', async () => {
    const before = await storeOne(undefined)
    const accepting = createShop({ key: KEY })
    for (let i = 0; i < 3; i += 1) await accepting.receiver.handleStored(before)
    expect(accepting.handler).toHaveBeenCalledTimes(3)
    expect(accepting.messages().filter((message) => message.includes('verifyStored'))).toEqual([
      'A stored delivery without a signature was accepted. See `verifyStored.unsigned`.',
    ])
    const refusing = createShop({ key: KEY, unsigned: 'refuse' })
    expect(await rejection(refusing.receiver.handleStored(before))).toMatchObject({ code: 'SIGNATURE_MISMATCH' })
    expect(refusing.handler).not.toHaveBeenCalled()
  })

  it.each([
    [{}, 'createReceiver: `verifyStored`: `key` must be text of at least 32 characters.'],
    [{ key: undefined }, 'createReceiver: `verifyStored`: `key` must be text of at least 32 characters.'],
    [{ key: 'short' }, 'createReceiver: `verifyStored`: `key` must be text of at least 32 characters.'],
    [{ key: ' '.repeat(40) }, 'createReceiver: `verifyStored`: `key` must be text of at least 32 characters.'],
    [{ key: [KEY, 'short'] }, 'createReceiver: `verifyStored`: `key` must be text of at least 32 characters.'],
    [{ key: [] }, 'createReceiver: `verifyStored`: `key` is empty.'],
    [{ key: KEY, unsigned: 'warn' }, 'createReceiver: `verifyStored`: `unsigned` must be accept or refuse.'],
    [{ keys: KEY }, 'createReceiver: `verifyStored` has no option `keys`. Did you mean `key`?'],
    [true, 'createReceiver: `verifyStored`: the options must be an object.'],
    [null, 'createReceiver: `verifyStored`: the options must be an object.'],
    ['', 'createReceiver: `verifyStored`: the options must be an object.'],
  ])('is refused when it is wrong: %j', (verifyStored, message) => {
    expect(thrownBy(() => createShop(verifyStored as never))).toEqual(new TypeError(message))
  })
})
