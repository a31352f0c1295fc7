import { setTimeout as sleep } from 'node:timers/promises'
import type { IdempotencyStore, Reservation, ReserveOptions, ResourceVersion } from 'hooklayer/drivers'
import { expect } from 'vitest'

/** The connections of a suite, by number: any number is one of them. */
export type Connections = (at: number) => IdempotencyStore

export type Reserved = Extract<Reservation, { state: 'reserved' }>

/** Longer than any test. */
export const LONG_MS = 60_000
/** Short enough to wait for. */
export const SHORT_MS = 50

export const KEPT = { retentionMs: LONG_MS, version: undefined }

export const claimFor = (leaseMs: number, version?: ResourceVersion): ReserveOptions => ({ leaseMs, version })

export async function reserved(store: IdempotencyStore, key: string, claim = claimFor(LONG_MS)): Promise<Reserved> {
  const reservation = await store.reserve(key, claim)
  expect(reservation).toMatchObject({ state: 'reserved', token: expect.any(String) })
  return reservation as Reserved
}

/** Makes a lease of one's own run out. */
export async function lapse(store: IdempotencyStore, key: string, token: string): Promise<void> {
  expect(await store.renew(key, token, { leaseMs: 1, done: [] })).toBe(true)
  await sleep(5)
}
