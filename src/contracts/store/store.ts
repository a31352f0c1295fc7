import type { IdempotencyStore } from 'hooklayer/drivers'
import { afterAll, afterEach, beforeAll, describe, vi } from 'vitest'
import { testCounting } from './counting.ts'
import { testErasing } from './erasing.ts'
import { testModel } from './model.ts'
import { testNames } from './names.ts'
import { testRaces } from './races.ts'
import { testRecords, testVersions } from './records.ts'
import { testClock, testReserving } from './reserving.ts'
import { testServices } from './services.ts'
import { testText } from './text.ts'

/** Where a suite of stores keeps its keys: empty at first, or at least without the keys of others. */
export interface StorePlace {
  /** Opens one more connection to it, as in another process. */
  open(): Promise<IdempotencyStore>
  /** Closes all connections. Called after the last test. */
  close(): Promise<void>
}

export interface StoreSuiteOptions {
  /** `process` for an engine that uses the clock of this process. Default: `own`. */
  readonly clock?: 'own' | 'process' | undefined
  /** What the store does without. Its cases are skipped. Default: nothing. */
  readonly unsupported?: readonly ('names' | 'erase' | 'countFailures')[] | undefined
}

/**
 * Registers the cases that every idempotency store must pass, over any of five connections to one place. They run with
 * vitest, on the real engine.
 *
 * @param start is called once, before the first test.
 * @example
 * testStore('the store in Redis', async () => ({
 *   open: async () => createRedisStore({ client }),
 *   close: async () => client.close(),
 * }))
 * @see docs/writing-a-store.md
 */
export function testStore(
  name: string,
  start: () => Promise<StorePlace>,
  { clock = 'own', unsupported = [] }: StoreSuiteOptions = {},
): void {
  describe(name, () => {
    let place: StorePlace | undefined
    const stores: IdempotencyStore[] = []
    const connection = (at: number) => stores[at % stores.length] as IdempotencyStore
    const has = (part: (typeof unsupported)[number]) => !unsupported.includes(part)

    beforeAll(async () => {
      place = await start()
      for (let i = 0; i < 5; i++) stores.push(await place.open())
    }, 60_000)
    afterAll(() => place?.close())
    afterEach(() => void vi.useRealTimers())

    for (const test of [testReserving, testRecords, testServices, testVersions, testText, testRaces]) test(connection)
    testModel(connection, has('names'))
    describe.skipIf(!has('names'))('names of handlers', () => testNames(connection))
    describe.skipIf(!has('erase'))('erasing', () => testErasing(connection))
    describe.skipIf(!has('countFailures'))('counting failures', () => testCounting(connection))
    if (clock === 'own') testClock(connection)
  })
}
