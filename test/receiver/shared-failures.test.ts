import { createReceiver } from 'hooklayer'
import type { IdempotencyStore, ObservedEvent } from 'hooklayer/drivers'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CART, delivery, order, recordingLogger, SECRET } from '../deliveries.ts'

/** Longer than a busy machine takes. */
const eventually = (check: () => unknown) => vi.waitFor(check, 10_000)

let next = 0
/** Another order each time. */
const placed = () => delivery('orders.place', { data: order({ id: `order-${next++}` }) })

/** A process of a shop, whose handler fails while the shop is down. */
function openProcess(store: IdempotencyStore, shop: { isDown: boolean }, levels: unknown[]) {
  const onEvent = (event: ObservedEvent) => {
    if (event.type === 'breaker') levels.push(event.level)
  }
  const { logger } = recordingLogger()
  const receiver = createReceiver({ secrets: SECRET, logger, idempotency: { store }, observers: [{ onEvent }] })
  receiver.on('orders.place', () => {
    if (shop.isDown) throw new Error('down')
  })
  return async (times = 1) => {
    for (let i = 0; i < times; i += 1) await receiver.receive(placed())
  }
}

/** Two processes that share a store. */
function openProcesses(store: IdempotencyStore = createMemoryStore()) {
  const levels: unknown[] = []
  const [shop, otherShop] = [{ isDown: true }, { isDown: true }]
  return {
    levels,
    shop,
    otherShop,
    one: openProcess(store, shop, levels),
    other: openProcess(store, otherShop, levels),
  }
}

describe('failures of processes that share a store', () => {
  it('count together, and one process is told each level', async () => {
    const { levels, one, other } = openProcesses()
    for (let i = 0; i < 14; i += 1) {
      await one()
      await other()
    }
    await eventually(() => expect(levels).toEqual([10, 20, 25]))
  })

  it('start anew when one of them handles a delivery', async () => {
    const { levels, shop, one, other } = openProcesses()
    await one(5)
    await other(4)
    shop.isDown = false
    await one()
    shop.isDown = true
    await other(9)
    await eventually(() => expect(levels).toEqual([]))
    await one()
    await eventually(() => expect(levels).toEqual([10]))
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('down'))],
    [
      'throws',
      () => {
        throw new Error('down')
      },
    ],
    ['answers with something else', async () => 'many' as never],
  ])('count for each alone where the store %s', async (_, countFailures) => {
    const { levels, one } = openProcesses({ ...createMemoryStore(), countFailures })
    await one(10)
    await eventually(() => expect(levels).toEqual([10]))
  })

  it('count for each alone where the store cannot count', async () => {
    const { countFailures, ...store } = createMemoryStore()
    const { levels, one, other } = openProcesses(store)
    await one(9)
    await other(9)
    expect(levels).toEqual([])
    await one()
    expect(levels).toEqual([10])
  })

  it('are reset later where the store fails to', async () => {
    const store = createMemoryStore()
    const count = store.countFailures?.bind(store)
    let isUp = true
    const flaky = {
      ...store,
      countFailures: (topic: string, change: 'add' | 'reset' | 'read') =>
        isUp ? count?.(topic, change) : Promise.reject(new Error('down')),
    }
    const { levels, shop, one } = openProcesses(flaky as IdempotencyStore)
    await one(9)
    shop.isDown = false
    isUp = false
    await one()
    isUp = true
    await one()
    shop.isDown = true
    await one()
    expect(levels).toEqual([])
    expect(await count?.('orders.place', 'read')).toBe(1)
  })

  it('are not stored for topics that anybody can make up', async () => {
    const store = createMemoryStore()
    const countFailures = vi.spyOn(store as Required<IdempotencyStore>, 'countFailures')
    const receiver = createReceiver({ secrets: SECRET, logger: recordingLogger().logger, idempotency: { store } })
    receiver.on('*', () => {
      throw new Error('down')
    })
    for (let i = 0; i < 5; i += 1) {
      await receiver.receive(delivery(`made_up.topic_${'abcde'[i]}`, { data: { type: 'made_up', id: 'a' } }))
    }
    expect(countFailures).not.toHaveBeenCalled()
    await receiver.receive(delivery('orders.place', CART))
    expect(countFailures).toHaveBeenCalledOnce()
  })
})

describe('a process that knows of no failure', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  it('reads every ten seconds whether others have failed, and then counts its success', async () => {
    const store = createMemoryStore()
    const countFailures = vi.spyOn(store as Required<IdempotencyStore>, 'countFailures')
    const { levels, otherShop, one, other } = openProcesses(store)
    otherShop.isDown = false
    await other(3)
    expect(countFailures).not.toHaveBeenCalled()
    await one(9)
    countFailures.mockClear()
    vi.advanceTimersByTime(10_000)
    countFailures.mockRejectedValueOnce(new Error('down'))
    await other()
    await eventually(() => expect(countFailures).toHaveBeenCalledOnce())
    countFailures.mockClear()
    vi.advanceTimersByTime(10_000)
    await other(3)
    await eventually(() => expect(countFailures.mock.calls.map(([, change]) => change)).toEqual(['read', 'reset']))
    await one(9)
    expect(levels).toEqual([])
    await one()
    await eventually(() => expect(levels).toEqual([10]))
  })
})
