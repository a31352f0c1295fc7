import { randomUUID } from 'node:crypto'
import type { Reservation } from 'hooklayer/drivers'
import { expect, it } from 'vitest'
import { COMPLETE_OPTIONS, type Connections, expireLease, LONG_MS, reserveKey, reserveOptions } from './reservations.ts'

export function testRaces(connection: Connections): void {
  const rush = (key: string) =>
    Promise.all(Array.from({ length: 50 }, (_, at) => connection(at).reserve(key, reserveOptions(LONG_MS))))

  const countState = (reservations: readonly Reservation[], state: Reservation['state']) =>
    reservations.filter((reservation) => reservation.state === state).length

  it('gives a key to exactly one of 50 that reserve it at once', async () => {
    for (let round = 0; round < 5; round++) {
      const reservations = await rush(randomUUID())
      expect(countState(reservations, 'reserved')).toBe(1)
      expect(countState(reservations, 'in-progress')).toBe(49)
    }
  })

  it('lets exactly one of 50 take over an expired reservation at once', async () => {
    for (let round = 0; round < 5; round++) {
      const key = randomUUID()
      const { token } = await reserveKey(connection(round), key)
      await expireLease(connection(round), key, token)
      const reservations = await rush(key)
      expect(countState(reservations, 'reserved')).toBe(1)
      expect(countState(reservations, 'in-progress')).toBe(49)
    }
  })

  it('either completes a reservation or lets it be taken over, when both happen at once', async () => {
    for (let round = 0; round < 20; round++) {
      const key = randomUUID()
      const { token } = await reserveKey(connection(0), key)
      await expireLease(connection(0), key, token)
      const complete = () => connection(0).complete(key, token, COMPLETE_OPTIONS)
      const takeOver = () => connection(1).reserve(key, reserveOptions(LONG_MS))
      const first = round % 2 ? complete() : takeOver()
      const second = round % 2 ? takeOver() : complete()
      const outcomes = await Promise.all([first, second])
      const isCompleted = outcomes.includes(true)
      const isTaken = outcomes.some((outcome) => typeof outcome === 'object' && outcome.state === 'reserved')
      expect({ isCompleted, isTaken }).toEqual({ isCompleted, isTaken: !isCompleted })
    }
  })

  it('ends a reservation once, however many calls use its token at once', async () => {
    const key = randomUUID()
    const { token } = await reserveKey(connection(0), key)
    const ends = Array.from({ length: 10 }, (_, at) =>
      at % 2
        ? connection(at).complete(key, token, COMPLETE_OPTIONS)
        : connection(at).release(key, token, { done: [], retentionMs: LONG_MS }),
    )
    expect((await Promise.all(ends)).filter(Boolean)).toHaveLength(1)
  })

  it('records the newest of versions that are completed at once', async () => {
    const resource = `orders/${randomUUID()}`
    const moments = Array.from({ length: 20 }, (_, at) => `2026-01-01T00:00:00.${100 + ((at * 7) % 20)}Z`)
    await Promise.all(
      moments.map(async (updatedAt, at) => {
        const key = randomUUID()
        const version = { resource, updatedAt }
        const { token } = await reserveKey(connection(at), key, reserveOptions(LONG_MS, version))
        expect(await connection(at).complete(key, token, { retentionMs: LONG_MS, version })).toBe(true)
      }),
    )
    const staleAt = async (updatedAt: string) =>
      (await reserveKey(connection(0), randomUUID(), reserveOptions(LONG_MS, { resource, updatedAt }))).stale
    expect(await staleAt('2026-01-01T00:00:00.118Z')).toBe(true)
    expect(await staleAt('2026-01-01T00:00:00.119Z')).toBe(false)
  })

  it('keeps hundreds of keys apart that are handled at once', async () => {
    const keys = Array.from({ length: 300 }, () => randomUUID())
    const handled = await Promise.all(
      keys.map(async (key, at) => {
        const { token } = await reserveKey(connection(at), key)
        return at % 3 ? connection(at).complete(key, token, COMPLETE_OPTIONS) : true
      }),
    )
    expect(handled).toEqual(keys.map(() => true))
    const states = await Promise.all(keys.map((key, at) => connection(at + 1).reserve(key, reserveOptions(LONG_MS))))
    expect(states).toEqual(keys.map((_, at) => ({ state: at % 3 ? 'completed' : 'in-progress' })))
  })
}
