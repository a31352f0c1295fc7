import { createMemoryStore } from 'hooklayer/stores/memory'
import { describe, expect, it } from 'vitest'
import { claimFor, KEPT, LONG_MS, lapse, reserved } from '../contracts/store/reservations.ts'
import { testStore } from '../contracts/store/store.ts'

testStore('the store in memory', async () => {
  const store = createMemoryStore()
  return { open: async () => store, close: async () => {} }
})

describe('a store in memory that is full', () => {
  it('forgets what was completed longest ago', async () => {
    const store = createMemoryStore({ maxEntries: 2 })
    for (const key of ['a', 'b', 'c']) await store.complete(key, (await reserved(store, key)).token, KEPT)
    expect(await store.reserve('b', claimFor(LONG_MS))).toEqual({ state: 'completed' })
    expect(await store.reserve('c', claimFor(LONG_MS))).toEqual({ state: 'completed' })
    await reserved(store, 'a')
  })

  it('rejects another claim rather than forget one', async () => {
    const store = createMemoryStore({ maxEntries: 2 })
    const { token } = await reserved(store, 'a')
    await reserved(store, 'b')
    await expect(store.reserve('c', claimFor(LONG_MS))).rejects.toThrow('full: 2 events are in progress')
    expect(await store.reserve('a', claimFor(LONG_MS))).toEqual({ state: 'in-progress' })
    expect(await store.complete('a', token, KEPT)).toBe(true)
    await reserved(store, 'c')
  })

  it('gives the place of a claim whose lease has run out to another, and keeps the names that are done', async () => {
    const store = createMemoryStore({ maxEntries: 1 })
    const { token } = await reserved(store, 'a')
    await store.renew('a', token, { leaseMs: LONG_MS, done: ['ship'] })
    await lapse(store, 'a', token)
    const other = await reserved(store, 'b')
    expect(await store.complete('a', token, KEPT)).toBe(false)
    await lapse(store, 'b', other.token)
    expect((await reserved(store, 'a')).done).toEqual(['ship'])
  })
})

it.each([0, -1, 1.5, Number.NaN, '10'])('refuses %s for `maxEntries`', (maxEntries) => {
  expect(() => createMemoryStore({ maxEntries: maxEntries as number })).toThrow(TypeError)
})
