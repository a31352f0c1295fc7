import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { type Connections, expireLease, LONG_MS, reserveKey, reserveOptions, SHORT_MS } from './reservations.ts'

export function testRecords(connection: Connections): void {
  it('collects the names that are done over renewals, releases and take-overs', async () => {
    const key = randomUUID()
    const first = await reserveKey(connection(0), key)
    await connection(0).renew(key, first.token, { leaseMs: LONG_MS, done: ['a'] })
    await connection(0).renew(key, first.token, { leaseMs: LONG_MS, done: ['b', 'b'] })
    await expireLease(connection(0), key, first.token)
    const second = await reserveKey(connection(1), key)
    expect([...second.done].sort()).toEqual(['a', 'b'])
    await connection(1).release(key, second.token, { done: ['c', 'a'], retentionMs: LONG_MS })
    expect([...(await reserveKey(connection(2), key)).done].sort()).toEqual(['a', 'b', 'c'])
  })

  it('forgets the names that are done, and that a key was completed, after their retention', async () => {
    const [released, completed] = [randomUUID(), randomUUID()]
    const one = await reserveKey(connection(0), released)
    const other = await reserveKey(connection(0), completed)
    await connection(0).renew(completed, other.token, { leaseMs: LONG_MS, done: ['a'] })
    await connection(0).release(released, one.token, { done: ['a'], retentionMs: SHORT_MS })
    await connection(0).complete(completed, other.token, { retentionMs: SHORT_MS, version: undefined })
    await sleep(SHORT_MS + 10)
    expect((await reserveKey(connection(1), released)).done).toEqual([])
    expect((await reserveKey(connection(1), completed)).done).toEqual([])
  })
}

export function testVersions(connection: Connections): void {
  const [old, middle, recent] = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.001Z', '2026-02-01T00:00:00.000Z']

  async function handle(resource: string, updatedAt: string, retentionMs = LONG_MS): Promise<boolean> {
    const key = randomUUID()
    const version = { resource, updatedAt }
    const { token, stale } = await reserveKey(connection(0), key, reserveOptions(LONG_MS, version))
    expect(await connection(1).complete(key, token, { retentionMs, version })).toBe(true)
    return stale
  }

  it('calls an event stale after a newer version of its resource was completed', async () => {
    const resource = `orders/${randomUUID()}`
    expect(await handle(resource, middle)).toBe(false)
    expect(await handle(resource, old)).toBe(true)
    expect(await handle(resource, middle)).toBe(false)
    expect(await handle(resource, recent)).toBe(false)
    expect(await handle(resource, middle)).toBe(true)
    expect(await handle(`orders/${randomUUID()}`, old)).toBe(false)
  })

  it('records no version of an event that was only reserved or released, or whose reservation was lost', async () => {
    const resource = `orders/${randomUUID()}`
    const version = { resource, updatedAt: recent }
    const [held, released, lost] = [randomUUID(), randomUUID(), randomUUID()]
    await reserveKey(connection(0), held, reserveOptions(LONG_MS, version))
    const { token } = await reserveKey(connection(0), released, reserveOptions(LONG_MS, version))
    expect(await connection(0).release(released, token, { done: [], retentionMs: LONG_MS })).toBe(true)
    const { token: oldToken } = await reserveKey(connection(0), lost, reserveOptions(LONG_MS, version))
    await expireLease(connection(0), lost, oldToken)
    await reserveKey(connection(1), lost, reserveOptions(LONG_MS, version))
    expect(await connection(0).complete(lost, oldToken, { retentionMs: LONG_MS, version })).toBe(false)
    expect(await handle(resource, old)).toBe(false)
  })

  it('forgets a version after its retention', async () => {
    const resource = `orders/${randomUUID()}`
    await handle(resource, recent, SHORT_MS)
    await sleep(SHORT_MS + 10)
    expect(await handle(resource, middle)).toBe(false)
    expect(await handle(resource, old)).toBe(true)
  })

  it('finds a reservation with a version from every connection that renews, releases or completes it', async () => {
    const key = randomUUID()
    const version = { resource: `orders/${key}`, updatedAt: old }
    const first = await reserveKey(connection(0), key, reserveOptions(LONG_MS, version))
    expect(await connection(1).renew(key, first.token, { leaseMs: LONG_MS, done: ['a'] })).toBe(true)
    expect(await connection(2).release(key, first.token, { done: ['b'], retentionMs: LONG_MS })).toBe(true)
    const second = await reserveKey(connection(3), key, reserveOptions(LONG_MS, version))
    expect([...second.done].sort()).toEqual(['a', 'b'])
    expect(await connection(4).complete(key, second.token, { retentionMs: LONG_MS, version })).toBe(true)
    expect(await connection(0).reserve(key, reserveOptions(LONG_MS, version))).toEqual({ state: 'completed' })
  })
}
