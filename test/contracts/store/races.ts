import { randomUUID } from 'node:crypto'
import type { Reservation } from 'hooklayer/drivers'
import { expect, it } from 'vitest'
import { type Connections, claimFor, KEPT, LONG_MS, lapse, reserved } from './reservations.ts'

export function testRaces(connection: Connections): void {
  const rush = (key: string) =>
    Promise.all(Array.from({ length: 50 }, (_, at) => connection(at).reserve(key, claimFor(LONG_MS))))

  const countOf = (reservations: readonly Reservation[], state: Reservation['state']) =>
    reservations.filter((reservation) => reservation.state === state).length

  it('gives a key to exactly one of 50 that reserve it at once', async () => {
    for (let round = 0; round < 5; round++) {
      const reservations = await rush(randomUUID())
      expect(countOf(reservations, 'reserved')).toBe(1)
      expect(countOf(reservations, 'in-progress')).toBe(49)
    }
  })

  it('gives a claim to exactly one of 50 that take it over at once', async () => {
    for (let round = 0; round < 5; round++) {
      const key = randomUUID()
      const { token } = await reserved(connection(round), key)
      await lapse(connection(round), key, token)
      const reservations = await rush(key)
      expect(countOf(reservations, 'reserved')).toBe(1)
      expect(countOf(reservations, 'in-progress')).toBe(49)
    }
  })

  it('either completes a claim or has it taken over, when both happen at once', async () => {
    for (let round = 0; round < 20; round++) {
      const key = randomUUID()
      const { token } = await reserved(connection(0), key)
      await lapse(connection(0), key, token)
      const complete = () => connection(0).complete(key, token, KEPT)
      const takeOver = () => connection(1).reserve(key, claimFor(LONG_MS))
      const first = round % 2 ? complete() : takeOver()
      const second = round % 2 ? takeOver() : complete()
      const outcomes = await Promise.all([first, second])
      const isCompleted = outcomes.includes(true)
      const isTaken = outcomes.some((outcome) => typeof outcome === 'object' && outcome.state === 'reserved')
      expect({ isCompleted, isTaken }).toEqual({ isCompleted, isTaken: !isCompleted })
    }
  })

  it('ends a claim once, however many try with its token at once', async () => {
    const key = randomUUID()
    const { token } = await reserved(connection(0), key)
    const ends = Array.from({ length: 10 }, (_, at) =>
      at % 2
        ? connection(at).complete(key, token, KEPT)
        : connection(at).release(key, token, { done: [], retentionMs: LONG_MS }),
    )
    expect((await Promise.all(ends)).filter(Boolean)).toHaveLength(1)
  })

  it('remembers the newest of versions that are completed at once', async () => {
    const resource = `orders/${randomUUID()}`
    const moments = Array.from({ length: 20 }, (_, at) => `2026-01-01T00:00:00.${100 + ((at * 7) % 20)}Z`)
    await Promise.all(
      moments.map(async (updatedAt, at) => {
        const key = randomUUID()
        const version = { resource, updatedAt }
        const { token } = await reserved(connection(at), key, claimFor(LONG_MS, version))
        expect(await connection(at).complete(key, token, { retentionMs: LONG_MS, version })).toBe(true)
      }),
    )
    const staleAt = async (updatedAt: string) =>
      (await reserved(connection(0), randomUUID(), claimFor(LONG_MS, { resource, updatedAt }))).stale
    expect(await staleAt('2026-01-01T00:00:00.118Z')).toBe(true)
    expect(await staleAt('2026-01-01T00:00:00.119Z')).toBe(false)
  })

  it('keeps hundreds of keys apart that are handled at once', async () => {
    const keys = Array.from({ length: 300 }, () => randomUUID())
    const handled = await Promise.all(
      keys.map(async (key, at) => {
        const { token } = await reserved(connection(at), key)
        return at % 3 ? connection(at).complete(key, token, KEPT) : true
      }),
    )
    expect(handled).toEqual(keys.map(() => true))
    const states = await Promise.all(keys.map((key, at) => connection(at + 1).reserve(key, claimFor(LONG_MS))))
    expect(states).toEqual(keys.map((_, at) => ({ state: at % 3 ? 'completed' : 'in-progress' })))
  })
}
