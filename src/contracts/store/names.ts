import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { IdempotencyStore } from 'hooklayer/drivers'
import { expect, it } from 'vitest'
import { COMPLETE_OPTIONS, type Connections, expireLease, LONG_MS, reserveKey, SHORT_MS } from './reservations.ts'

const COMPLETED = { state: 'completed' }
const IN_PROGRESS = { state: 'in-progress' }

const asking = (...names: string[]) => ({ leaseMs: LONG_MS, version: undefined, names })
const completing = (...done: string[]) => ({ retentionMs: LONG_MS, version: undefined, done })

async function completeKey(store: IdempotencyStore, key: string, ...done: string[]): Promise<void> {
  const { token } = await reserveKey(store, key, asking(...done))
  expect(await store.complete(key, token, completing(...done))).toBe(true)
}

export function testNames(connection: Connections): void {
  it('does not answer `completed` before all names are done', async () => {
    const key = randomUUID()
    await completeKey(connection(0), key, 'a')
    expect(await connection(1).reserve(key, asking())).toEqual(COMPLETED)
    expect(await connection(1).reserve(key, asking('a'))).toEqual(COMPLETED)
    const { token, done, wasCompleted } = await reserveKey(connection(1), key, asking('a', 'b'))
    expect({ done, wasCompleted }).toEqual({ done: ['a'], wasCompleted: true })
    expect(await connection(1).complete(key, token, completing('b'))).toBe(true)
    expect(await connection(2).reserve(key, asking('a', 'b'))).toEqual(COMPLETED)
    expect(await connection(2).reserve(key, asking('b'))).toEqual(COMPLETED)
  })

  it('does not forget a name when a key is completed: not those of a renewal, nor of a release', async () => {
    const key = randomUUID()
    const first = await reserveKey(connection(0), key, asking('a', 'b', 'c'))
    expect(first.wasCompleted).toBe(false)
    await connection(0).renew(key, first.token, { leaseMs: LONG_MS, done: ['a'] })
    await connection(0).release(key, first.token, { done: ['b'], retentionMs: LONG_MS })
    const second = await reserveKey(connection(1), key, asking('a', 'b', 'c'))
    await connection(1).complete(key, second.token, completing('c'))
    expect(await connection(2).reserve(key, asking('a', 'b', 'c'))).toEqual(COMPLETED)
  })

  it('does not reserve a key again that was completed without names, as version 0.1 does', async () => {
    const key = randomUUID()
    const { token } = await reserveKey(connection(0), key)
    await connection(0).complete(key, token, COMPLETE_OPTIONS)
    expect(await connection(1).reserve(key, asking('a'))).toEqual(COMPLETED)
  })

  it('reserves a key again that was completed by nobody with a name', async () => {
    const key = randomUUID()
    await completeKey(connection(0), key)
    expect(await connection(1).reserve(key, asking())).toEqual(COMPLETED)
    expect((await reserveKey(connection(1), key, asking('a'))).done).toEqual([])
  })

  it('keeps a key completed for all others while it is reserved again, and after that', async () => {
    const key = randomUUID()
    await completeKey(connection(0), key, 'a')
    const { token } = await reserveKey(connection(1), key, asking('b', 'c'))
    await connection(1).renew(key, token, { leaseMs: LONG_MS, done: ['b'] })
    for (const names of [[], ['a'], ['a', 'b']]) {
      expect(await connection(2).reserve(key, asking(...names))).toEqual(COMPLETED)
    }
    for (const names of [['c'], ['a', 'c'], ['other']]) {
      expect(await connection(2).reserve(key, asking(...names))).toEqual(IN_PROGRESS)
    }
    expect(await connection(1).release(key, token, { done: [], retentionMs: LONG_MS })).toBe(true)
    expect(await connection(2).reserve(key, asking('a', 'b'))).toEqual(COMPLETED)
    const { done, wasCompleted } = await reserveKey(connection(2), key, asking('c'))
    expect({ done: [...done].sort(), wasCompleted }).toEqual({ done: ['a', 'b'], wasCompleted: true })
  })

  it('lets a completed key be taken over whose new lease has expired', async () => {
    const key = randomUUID()
    await completeKey(connection(0), key, 'a')
    const old = await reserveKey(connection(1), key, asking('b'))
    await expireLease(connection(1), key, old.token)
    expect(await connection(2).reserve(key, asking('a'))).toEqual(COMPLETED)
    const { done, wasCompleted } = await reserveKey(connection(2), key, asking('b'))
    expect({ done, wasCompleted }).toEqual({ done: ['a'], wasCompleted: true })
    expect(await connection(1).complete(key, old.token, completing('b'))).toBe(false)
    expect(await connection(3).reserve(key, asking('b'))).toEqual(IN_PROGRESS)
  })

  it('does not forget sooner that a key was completed, because it was reserved again', async () => {
    const keys = [randomUUID(), randomUUID(), randomUUID()] as const
    for (const key of keys) await completeKey(connection(0), key, 'a')
    const [released, completed, lapsed] = await Promise.all(
      keys.map((key) => reserveKey(connection(1), key, asking('b'))),
    )
    await connection(1).release(keys[0], released?.token ?? '', { done: [], retentionMs: SHORT_MS })
    await connection(1).complete(keys[1], completed?.token ?? '', { ...completing('b'), retentionMs: SHORT_MS })
    await expireLease(connection(1), keys[2], lapsed?.token ?? '')
    await sleep(SHORT_MS + 10)
    for (const key of keys) expect(await connection(2).reserve(key, asking('a'))).toEqual(COMPLETED)
  })

  it('forgets that a key was completed by names after its retention', async () => {
    const key = randomUUID()
    const { token } = await reserveKey(connection(0), key, asking('a'))
    await connection(0).complete(key, token, { ...completing('a'), retentionMs: SHORT_MS })
    await sleep(SHORT_MS + 10)
    const { done, wasCompleted } = await reserveKey(connection(1), key, asking('a'))
    expect({ done, wasCompleted }).toEqual({ done: [], wasCompleted: false })
  })

  it('gives a completed key to exactly one of 50 that want another name done at once', async () => {
    const key = randomUUID()
    await completeKey(connection(0), key, 'a')
    const rush = Array.from({ length: 50 }, (_, at) => connection(at).reserve(key, asking('a', 'b')))
    const states = (await Promise.all(rush)).map(({ state }) => state)
    expect(states.filter((state) => state === 'reserved')).toHaveLength(1)
    expect(states.filter((state) => state === 'in-progress')).toHaveLength(49)
  })
}
