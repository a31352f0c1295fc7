import { randomUUID } from 'node:crypto'
import type { ErasableStore } from 'hooklayer/drivers'
import { expect, it } from 'vitest'
import { rejection } from '../helpers.ts'
import { type Connections, LONG_MS, reserveKey, reserveOptions } from './reservations.ts'

const [old, recent] = ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z']

export function testErasing(connection: Connections): void {
  const store = (at: number) => connection(at) as ErasableStore

  async function handle(key: string, resource: string, updatedAt: string): Promise<boolean> {
    const version = { resource, updatedAt }
    const { token, stale } = await reserveKey(connection(0), key, reserveOptions(LONG_MS, version))
    await connection(1).complete(key, token, { retentionMs: LONG_MS, version })
    return stale
  }

  it('erases the version of a resource, and keeps the keys of its events', async () => {
    const [key, id, other] = [randomUUID(), randomUUID(), randomUUID()]
    const version = { resource: `orders/${id}`, updatedAt: recent }
    await handle(key, version.resource, recent)
    await handle(randomUUID(), `orders/${other}`, recent)
    expect(await store(2).erase({ type: 'orders', id })).toEqual({ versions: 1 })
    expect(await store(3).erase({ type: 'orders', id })).toEqual({ versions: 0 })
    expect(await connection(0).reserve(key, reserveOptions(LONG_MS, version))).toEqual({ state: 'completed' })
    expect(await handle(randomUUID(), `orders/${id}`, old)).toBe(false)
    expect(await handle(randomUUID(), `orders/${other}`, old)).toBe(true)
  })

  it('erases the version of one organization and mode only', async () => {
    const id = `{${randomUUID()}}`
    await handle(randomUUID(), `xyz/live/orders/${id}`, recent)
    expect(await store(0).erase({ type: 'orders', id })).toEqual({ versions: 0 })
    expect(await store(0).erase({ type: 'orders', id, organizationId: 'xyz', mode: 'test' })).toEqual({ versions: 0 })
    expect(await store(0).erase({ type: 'orders', id, organizationId: 'xyz', mode: 'live' })).toEqual({ versions: 1 })
  })

  it.each([
    ['organization', 'xyz//', { organizationId: 'xyz' }],
    ['mode', '/live/', { mode: 'live' }],
  ])('erases the version of a document that says its %s only', async (_, label, says) => {
    const id = randomUUID()
    await handle(randomUUID(), `${label}orders/${id}`, recent)
    expect(await store(0).erase({ type: 'orders', id, ...says })).toEqual({ versions: 1 })
  })

  it('erases nothing without a type and an id', async () => {
    for (const resource of [
      {},
      { type: 'orders' },
      { type: 'orders', id: '' },
      { type: 'orders', id: 'x', mod: 'live' },
      'orders/x',
    ]) {
      expect(await rejection(store(0).erase(resource as never))).toBeInstanceOf(TypeError)
    }
  })
}
