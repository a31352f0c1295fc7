import { setTimeout as sleep } from 'node:timers/promises'
import type { IdempotencyStore, Reservation, ReserveOptions, ResourceVersion } from 'hooklayer/drivers'
import { expect } from 'vitest'

/** The connections of a suite. Any number selects one of them. */
export type Connections = (at: number) => IdempotencyStore

export type Reserved = Extract<Reservation, { state: 'reserved' }>

/** Longer than any test. */
export const LONG_MS = 60_000
/** Short enough to wait for. */
export const SHORT_MS = 50

export const COMPLETE_OPTIONS = { retentionMs: LONG_MS, version: undefined }

export const reserveOptions = (leaseMs: number, version?: ResourceVersion): ReserveOptions => ({ leaseMs, version })

export async function reserveKey(
  store: IdempotencyStore,
  key: string,
  options = reserveOptions(LONG_MS),
): Promise<Reserved> {
  const reservation = await store.reserve(key, options)
  expect(reservation).toMatchObject({ state: 'reserved', token: expect.any(String) })
  return reservation as Reserved
}

/** Makes the lease of a token expire. */
export async function expireLease(store: IdempotencyStore, key: string, token: string): Promise<void> {
  expect(await store.renew(key, token, { leaseMs: 1, done: [] })).toBe(true)
  await sleep(5)
}
