import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import {
  COMPLETE_OPTIONS,
  type Connections,
  expireLease,
  LONG_MS,
  reserveKey,
  reserveOptions,
  SHORT_MS,
} from './reservations.ts'

export function testReserving(connection: Connections): void {
  it('reserves a key for one, and answers the others that it is in progress, then completed', async () => {
    const key = randomUUID()
    const { token, done, stale } = await reserveKey(connection(0), key)
    expect({ done, stale }).toEqual({ done: [], stale: false })
    expect(await connection(1).reserve(key, reserveOptions(LONG_MS))).toEqual({ state: 'in-progress' })
    expect(await connection(0).complete(key, token, COMPLETE_OPTIONS)).toBe(true)
    expect(await connection(1).reserve(key, reserveOptions(LONG_MS))).toEqual({ state: 'completed' })
  })

  it('never returns a token twice', async () => {
    const key = randomUUID()
    const tokens = new Set<string>()
    for (let i = 0; i < 20; i++) {
      const { token } = await reserveKey(connection(i), key)
      tokens.add(token)
      await connection(i).release(key, token, { done: [], retentionMs: LONG_MS })
    }
    expect(tokens.size).toBe(20)
  })

  it('lets an expired reservation be taken over, after which the old token has no effect', async () => {
    const key = randomUUID()
    const old = await reserveKey(connection(0), key, reserveOptions(SHORT_MS))
    const taken = await vi.waitFor(() => reserveKey(connection(1), key), { timeout: 5000, interval: 10 })
    expect(taken.token).not.toBe(old.token)
    expect(await connection(0).renew(key, old.token, { leaseMs: LONG_MS, done: ['late'] })).toBe(false)
    expect(await connection(0).complete(key, old.token, COMPLETE_OPTIONS)).toBe(false)
    expect(await connection(0).release(key, old.token, { done: ['late'], retentionMs: LONG_MS })).toBe(false)
    expect(await connection(2).reserve(key, reserveOptions(LONG_MS))).toEqual({ state: 'in-progress' })
    await connection(1).release(key, taken.token, { done: [], retentionMs: LONG_MS })
    expect((await reserveKey(connection(0), key)).done).toEqual([])
  })

  it('leaves an expired reservation to its holder until it is taken over', async () => {
    const key = randomUUID()
    const { token } = await reserveKey(connection(0), key)
    await expireLease(connection(0), key, token)
    expect(await connection(0).complete(key, token, COMPLETE_OPTIONS)).toBe(true)
    expect(await connection(1).reserve(key, reserveOptions(LONG_MS))).toEqual({ state: 'completed' })
  })

  it('keeps a reservation that is renewed past its first lease, and not one whose renewal was shorter', async () => {
    const [kept, lost] = [randomUUID(), randomUUID()]
    const { token } = await reserveKey(connection(0), kept, reserveOptions(150))
    expect(await connection(0).renew(kept, token, { leaseMs: LONG_MS, done: [] })).toBe(true)
    await expireLease(connection(0), lost, (await reserveKey(connection(0), lost)).token)
    await reserveKey(connection(1), lost)
    await sleep(170)
    expect(await connection(1).reserve(kept, reserveOptions(LONG_MS))).toEqual({ state: 'in-progress' })
  })

  it('rejects a token of a key that is free, completed or reserved with another token', async () => {
    const [free, held, completed] = [randomUUID(), randomUUID(), randomUUID()]
    await reserveKey(connection(0), held)
    const { token } = await reserveKey(connection(0), completed)
    await connection(0).complete(completed, token, COMPLETE_OPTIONS)
    for (const [key, wrong] of [
      [free, token],
      [held, token],
      [completed, token],
      [held, ''],
    ] as const) {
      expect(await connection(1).renew(key, wrong, { leaseMs: LONG_MS, done: [] })).toBe(false)
      expect(await connection(1).complete(key, wrong, COMPLETE_OPTIONS)).toBe(false)
      expect(await connection(1).release(key, wrong, { done: [], retentionMs: LONG_MS })).toBe(false)
    }
    expect(await connection(1).reserve(held, reserveOptions(LONG_MS))).toEqual({ state: 'in-progress' })
    await reserveKey(connection(1), free)
  })
}

export function testClock(connection: Connections): void {
  it('uses a clock of its own', async () => {
    const [held, completed] = [randomUUID(), randomUUID()]
    await reserveKey(connection(0), held)
    const { token } = await reserveKey(connection(0), completed)
    await connection(0).complete(completed, token, COMPLETE_OPTIONS)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3 * 24 * 3600 * 1000 })
    expect(await connection(1).reserve(held, reserveOptions(LONG_MS))).toEqual({ state: 'in-progress' })
    expect(await connection(1).reserve(completed, reserveOptions(LONG_MS))).toEqual({ state: 'completed' })
  })
}
