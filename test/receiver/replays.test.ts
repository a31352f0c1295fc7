import { PermanentError, type ReceiverOptions } from 'hooklayer'
import type { WebhookResponse } from 'hooklayer/drivers'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { describe, expect, it, vi } from 'vitest'
import { delivery, OTHER_SECRET, order, recordingLogger, SECRET } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'

const HOUR = 60 * 60 * 1000

const agedBy = (ms: number) => new Date(Date.now() - ms).toISOString()
const placed = (attributes: object | null) =>
  delivery('orders.place', { data: order({ attributes: attributes && { number: '2001', ...attributes } }) })

function code({ status, body }: WebhookResponse): string {
  const { outcome, error } = JSON.parse(body)
  return `${status} ${outcome ?? error.code}`
}

describe.each(await inBothRuntimes(() => import('hooklayer')))('a receiver with `maxAgeMs`, on %s,', (_, hooklayer) => {
  function receiverWith(options: Partial<ReceiverOptions> = {}) {
    const { logger, messages } = recordingLogger()
    const handler = vi.fn()
    const receiver = hooklayer.createReceiver({
      secrets: { 'orders.place': SECRET },
      logger,
      maxAgeMs: HOUR,
      ...options,
    })
    receiver.on('orders.place', handler)
    return { receiver, handler, messages }
  }

  const old = placed({ updated_at: agedBy(2 * HOUR) })

  it('does not handle or store what somebody captured two years ago', async () => {
    const inbox = createMemoryInbox()
    const label = { secret: SECRET, mode: 'live' } as const
    for (const options of [{}, { inbox }, { secrets: label }, { idempotency: { store: createMemoryStore() } }]) {
      const { receiver, handler } = receiverWith(options)
      const captured = placed({ updated_at: agedBy(2 * 365 * 24 * HOUR) })
      expect(code(await receiver.receive(captured))).toBe('200 discarded')
      expect(handler).not.toHaveBeenCalled()
    }
    expect((await inbox.statistics()).queued).toBe(0)
  })

  it.each([
    ['a recent version', { updated_at: agedBy(HOUR / 2) }],
    ['a version of the future', { updated_at: agedBy(-2 * HOUR) }],
    ['no version', {}],
    ['a version that is no date', { updated_at: 'yesterday' }],
    ['a version that is a number', { updated_at: 0 }],
    ['no attributes, as after a destroy', null],
  ])('handles and stores %s', async (_, attributes) => {
    const { receiver, handler } = receiverWith()
    expect(code(await receiver.receive(placed(attributes)))).toBe('200 handled')
    expect(handler).toHaveBeenCalledTimes(1)
    const { receiver: storing } = receiverWith({ inbox: createMemoryInbox() })
    expect(code(await storing.receive(placed(attributes)))).toBe('202 queued')
  })

  it('handles what was stored or is redelivered, however old it is', async () => {
    const { receiver, handler } = receiverWith()
    await receiver.handleStored({ topic: 'orders.place', body: old.body, receivedAt: new Date() })
    expect(await receiver.redeliver('orders.place', JSON.parse(new TextDecoder().decode(old.body)))).toBe('handled')
    expect(handler).toHaveBeenCalledTimes(2)
  })

  it('leaves a document that is invalid to whoever handles it', async () => {
    const { receiver } = receiverWith()
    expect(code(await receiver.receive(delivery('orders.place', '{}')))).toBe('400 DOCUMENT_INVALID')
    const { receiver: storing } = receiverWith({ inbox: createMemoryInbox() })
    expect(code(await storing.receive(delivery('orders.place', '{}')))).toBe('202 queued')
  })

  it('does not take a forged old delivery for a genuine one', async () => {
    const { receiver } = receiverWith()
    const forged = delivery('orders.place', old.body, OTHER_SECRET)
    expect(code(await receiver.receive(forged))).toBe('401 SIGNATURE_MISMATCH')
  })

  it('handles an old delivery without the option', async () => {
    const { receiver } = receiverWith({ maxAgeMs: undefined })
    expect(code(await receiver.receive(old))).toBe('200 handled')
  })

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1000', null])(
    'refuses to be made with %s',
    (maxAgeMs) => {
      expect(() => receiverWith({ maxAgeMs: maxAgeMs as number })).toThrow(/`maxAgeMs` must be a whole number over 0/)
    },
  )
})

const { createReceiver } = await import('hooklayer')

describe('a captured delivery that is sent again after each failure', () => {
  const version = (number: string, updatedAt: string) =>
    delivery('orders.place', { data: order({ attributes: { number, updated_at: updatedAt } }) })

  /** Sends 20 deliveries that fail, and a captured one after each of them. */
  async function countWarnings(options: Partial<ReceiverOptions>, captured = version('captured', agedBy(24 * HOUR))) {
    const { logger, messages } = recordingLogger()
    const answers = new Set<string>()
    let isDown = false
    const fail = () => {
      if (isDown) throw new Error('The ERP is down.')
    }
    const receiver = createReceiver({ secrets: SECRET, logger, ...options }).on('orders.place', fail)
    receiver.onError(() => {})
    await receiver.receive(captured)
    await receiver.receive(version('before', agedBy(12 * HOUR)))
    isDown = true
    for (let i = 0; i < 20; i += 1) {
      await receiver.receive(version(`${i}`, agedBy(HOUR)))
      answers.add(code(await receiver.receive(captured)))
    }
    return { warnings: messages().filter((message) => message.includes('in a row')).length, answers: [...answers] }
  }

  it('does not reset the count of failures as a duplicate', async () => {
    const idempotency = { store: createMemoryStore() }
    expect(await countWarnings({ idempotency })).toEqual({ warnings: 2, answers: ['200 duplicate'] })
  })

  it('does not reset it as a delivery that is too old', async () => {
    expect(await countWarnings({ maxAgeMs: 6 * HOUR })).toEqual({ warnings: 2, answers: ['200 discarded'] })
  })

  it('does not reset it as a stale event whose key was forgotten', async () => {
    const idempotency = { store: createMemoryStore(), key: () => crypto.randomUUID(), stale: 'skip' } as const
    expect(await countWarnings({ idempotency })).toEqual({ warnings: 2, answers: ['200 ignored'] })
  })

  it('does not reset it in an inbox, which knows it', async () => {
    const { logger, messages } = recordingLogger()
    const inbox = createMemoryInbox()
    let isFull = false
    let id = ''
    const put: typeof inbox.put = async (one) => {
      id ||= one.id
      return isFull && one.id !== id ? 'full' : inbox.put(one)
    }
    const receiver = createReceiver({ secrets: SECRET, logger, inbox: { put } })
    const captured = version('captured', agedBy(HOUR))
    await receiver.receive(captured)
    isFull = true
    for (let i = 0; i < 20; i += 1) {
      expect(code(await receiver.receive(version(`${i}`, agedBy(HOUR))))).toBe('503 OVERLOADED')
      expect(code(await receiver.receive(captured))).toBe('200 duplicate')
    }
    expect(messages().filter((message) => message.includes('in a row'))).toHaveLength(2)
  })

  it('resets it once the handlers have run, also if they discard the event', async () => {
    const { logger, messages } = recordingLogger()
    let error: Error | undefined = new Error('down')
    const receiver = createReceiver({ secrets: SECRET, logger }).on('orders.place', () => {
      if (error) throw error
    })
    const genuine = version('1', agedBy(HOUR))
    for (const recovery of [undefined, new PermanentError('It has no customer.')]) {
      for (let i = 0; i < 9; i += 1) await receiver.receive(genuine)
      error = recovery
      await receiver.receive(genuine)
      error = new Error('down')
    }
    for (let i = 0; i < 9; i += 1) await receiver.receive(genuine)
    expect(messages().filter((message) => message.includes('in a row'))).toEqual([])
  })
})
