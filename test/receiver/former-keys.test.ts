import { createReceiver, type IdempotencyOptions, type WebhookEvent } from 'hooklayer'
import type { IdempotencyStore } from 'hooklayer/drivers'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { describe, expect, it, vi } from 'vitest'
import { delivery, order, recordingLogger, rejection, SECRET } from '../deliveries.ts'

const orderOf = (number: string) => ({
  data: order({ attributes: { number, updated_at: '2026-11-01T00:00:00.000Z' } }),
})
const VERSION = { resource: 'orders/NrlYhpzLKA', updatedAt: '2026-11-01T00:00:00.000Z' }
const key = ({ resource }: WebhookEvent) => (resource as { number: string }).number

function shopWith(store: IdempotencyStore, options: Partial<IdempotencyOptions> = {}) {
  const { logger } = recordingLogger()
  const handler = vi.fn()
  const other = vi.fn()
  const receiver = createReceiver({ secrets: SECRET, logger, idempotency: { store, key, ...options } })
  receiver.on('orders.*', { name: 'a' }, handler).on('orders.*', { name: 'b' }, other)
  const deliver = async (number = '1', topic = 'orders.place') => {
    const { outcome, error } = JSON.parse((await receiver.receive(delivery(topic, orderOf(number)))).body)
    return outcome ?? error.code
  }
  return { deliver, handler, other, receiver }
}

/** What a process of 0.1 writes for the order `1`, and how far it came. */
async function writeFormer(
  store: IdempotencyStore,
  state: 'completed' | 'released' | 'in-progress',
  done: string[] = [],
) {
  const reservation = await store.reserve('1', { leaseMs: 15_000, version: VERSION })
  if (reservation.state !== 'reserved') throw new Error('It is not free.')
  const { token } = reservation
  if (state === 'completed') await store.complete('1', token, { retentionMs: 60_000, version: VERSION })
  if (state === 'released') await store.release('1', token, { retentionMs: 60_000, done })
  return token
}

describe('a `key` of the shop', () => {
  it('does not make an event of one topic a duplicate of another topic', async () => {
    const { deliver, handler } = shopWith(createMemoryStore())
    const topics = ['orders.place', 'orders.approve', 'orders.place']
    const outcomes = []
    for (const topic of topics) outcomes.push(await deliver('1', topic))
    expect(outcomes).toEqual(['handled', 'handled', 'duplicate'])
    expect(handler).toHaveBeenCalledTimes(2)
  })

  it('does not refuse topics of one key that come at the same time', async () => {
    const { deliver } = shopWith(createMemoryStore())
    const topics = ['place', 'approve', 'pay', 'cancel', 'fulfill', 'pending'].map((event) => `orders.${event}`)
    expect(new Set(await Promise.all(topics.map((topic) => deliver('1', topic))))).toEqual(new Set(['handled']))
  })

  it('does not run handlers again for what 0.1 has handled, under the key without a topic', async () => {
    const store = createMemoryStore()
    await writeFormer(store, 'completed')
    const { deliver, handler } = shopWith(store)
    expect([await deliver(), await deliver()]).toEqual(['duplicate', 'duplicate'])
    expect(await deliver('2')).toBe('handled')
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('does not run a handler again that has succeeded under 0.1', async () => {
    const store = createMemoryStore()
    await writeFormer(store, 'released', ['a'])
    const { deliver, handler, other } = shopWith(store)
    expect(await deliver()).toBe('handled')
    expect([handler.mock.calls.length, other.mock.calls.length]).toEqual([0, 1])
  })

  it('does not run handlers while a process of 0.1 runs them', async () => {
    const store = createMemoryStore()
    const token = await writeFormer(store, 'in-progress')
    const { deliver } = shopWith(store)
    expect(await deliver()).toBe('IN_PROGRESS')
    await store.complete('1', token, { retentionMs: 60_000, version: VERSION })
    expect(await deliver()).toBe('duplicate')
  })

  it('is looked up as 0.1 wrote it for `retentionMs`, and once for an event', async () => {
    const store = createMemoryStore()
    const asked: string[] = []
    const recording: IdempotencyStore = {
      ...store,
      reserve(one, options) {
        asked.push(one)
        return store.reserve(one, options)
      },
    }
    const { deliver } = shopWith(recording, { retentionMs: 300 })
    await deliver()
    await deliver()
    expect(asked).toEqual(['orders.place 1', '1', 'orders.place 1'])
    await new Promise((resolve) => setTimeout(resolve, 310))
    await deliver('2')
    expect(asked.slice(3)).toEqual(['orders.place 2'])
  })

  it('does not run handlers if its former form cannot be looked up, unless they are to run all the same', async () => {
    for (const [onStoreError, expected] of [
      ['refuse', 'STORE_UNAVAILABLE'],
      ['run', 'handled'],
    ] as const) {
      const store = createMemoryStore()
      const broken: IdempotencyStore = {
        ...store,
        reserve: (one, options) => (one === '1' ? Promise.reject(new Error('down')) : store.reserve(one, options)),
      }
      expect(await shopWith(broken, { onStoreError }).deliver()).toBe(expected)
      expect(await shopWith(store).deliver()).toBe(expected === 'handled' ? 'duplicate' : 'handled')
    }
  })

  it('is handled all the same if its former form cannot be released', async () => {
    const store = createMemoryStore()
    const broken: IdempotencyStore = {
      ...store,
      release: (one, token, options) =>
        one === '1' ? Promise.reject(new Error('down')) : store.release(one, token, options),
    }
    expect(await shopWith(broken).deliver()).toBe('handled')
  })
})

describe('secrets of a function that fails', () => {
  it('do not let a stored delivery be handled under a key that may be another one', async () => {
    const { logger } = recordingLogger()
    const handler = vi.fn()
    let isDown = true
    const secrets = async () => {
      if (isDown) throw new Error('vault')
      return { secret: SECRET, mode: 'live' } as const
    }
    const receiver = createReceiver({ secrets, logger, idempotency: { store: createMemoryStore() } })
    receiver.on('*', handler)
    const stored = { topic: 'orders.place', body: delivery('orders.place', orderOf('1')).body, receivedAt: new Date() }
    expect(await rejection(receiver.handleStored(stored))).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true })
    isDown = false
    await receiver.handleStored(stored)
    isDown = true
    await receiver.handleStored(stored)
    expect(handler).toHaveBeenCalledTimes(1)
  })
})
