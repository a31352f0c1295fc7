import { createMemoryStore } from 'hooklayer/stores/memory'
import { describe, expect, it } from 'vitest'
import {
  COMPLETE_OPTIONS,
  expireLease,
  LONG_MS,
  reserveKey,
  reserveOptions,
} from '../../src/contracts/store/reservations.ts'
import { testStore } from '../../src/contracts/store/store.ts'
import { rejection } from '../deliveries.ts'

testStore('the store in memory', async () => {
  const store = createMemoryStore()
  return { open: async () => store, close: async () => {} }
})

it.each([
  [{ type: 'orders' }, 'store.erase: `type` and `id` must be text.'],
  [{ type: 'orders', id: '' }, 'store.erase: `id` must be text.'],
  [{ type: 'orders', id: 'x', mod: 'live' }, 'store.erase has no option `mod`. Did you mean `mode`?'],
  ['orders/x', 'store.erase: the options must be an object.'],
])('erasing says what is wrong with the resource: %j', async (resource, message) => {
  expect(await rejection(createMemoryStore().erase(resource as never))).toEqual(new TypeError(message))
})

describe('a store in memory that is full', () => {
  it('forgets what was completed longest ago', async () => {
    const store = createMemoryStore({ maxEntries: 2 })
    for (const key of ['a', 'b', 'c']) await store.complete(key, (await reserveKey(store, key)).token, COMPLETE_OPTIONS)
    expect(await store.reserve('b', reserveOptions(LONG_MS))).toEqual({ state: 'completed' })
    expect(await store.reserve('c', reserveOptions(LONG_MS))).toEqual({ state: 'completed' })
    await reserveKey(store, 'a')
  })

  it('rejects another reservation instead of forgetting one', async () => {
    const store = createMemoryStore({ maxEntries: 2 })
    const { token } = await reserveKey(store, 'a')
    await reserveKey(store, 'b')
    await expect(store.reserve('c', reserveOptions(LONG_MS))).rejects.toThrow('full: 2 events are in progress')
    expect(await store.reserve('a', reserveOptions(LONG_MS))).toEqual({ state: 'in-progress' })
    expect(await store.complete('a', token, COMPLETE_OPTIONS)).toBe(true)
    await reserveKey(store, 'c')
  })

  it('replaces an expired reservation by another, and keeps the names that are done', async () => {
    const store = createMemoryStore({ maxEntries: 1 })
    const { token } = await reserveKey(store, 'a')
    await store.renew('a', token, { leaseMs: LONG_MS, done: ['ship'] })
    await expireLease(store, 'a', token)
    const other = await reserveKey(store, 'b')
    expect(await store.complete('a', token, COMPLETE_OPTIONS)).toBe(false)
    await expireLease(store, 'b', other.token)
    expect((await reserveKey(store, 'a')).done).toEqual(['ship'])
  })
})

it.each([0, -1, 1.5, Number.NaN, '10'])('refuses %s for `maxEntries`', (maxEntries) => {
  expect(() => createMemoryStore({ maxEntries: maxEntries as number })).toThrow(TypeError)
})
