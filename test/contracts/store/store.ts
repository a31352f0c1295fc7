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

/** The storage of one test on an engine. */
export interface StoreScene {
  /** Opens one more connection to it, as in another process. */
  open(): Promise<IdempotencyStore>
  close(): Promise<void>
}

/**
 * The contract of every store, over any of its connections.
 *
 * @param clock `process` for a database within the process, which uses the clock of the process.
 */
export function testStore(name: string, start: () => Promise<StoreScene>, clock: 'own' | 'process' = 'own'): void {
  describe(name, () => {
    let scene: StoreScene | undefined
    const stores: IdempotencyStore[] = []
    const connection = (at: number) => stores[at % stores.length] as IdempotencyStore

    beforeAll(async () => {
      scene = await start()
      for (let i = 0; i < 5; i++) stores.push(await scene.open())
    }, 60_000)
    afterAll(() => scene?.close())
    afterEach(() => void vi.useRealTimers())

    const tests = [
      testReserving,
      testRecords,
      testNames,
      testServices,
      testVersions,
      testText,
      testRaces,
      testModel,
      testErasing,
      testCounting,
    ]
    for (const test of tests) test(connection)
    if (clock === 'own') testClock(connection)
  })
}
