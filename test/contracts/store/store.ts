import type { IdempotencyStore } from 'hooklayer/drivers'
import { afterAll, afterEach, beforeAll, describe, vi } from 'vitest'
import { testMemory, testVersions } from './memory.ts'
import { testModel } from './model.ts'
import { testRaces } from './races.ts'
import { testClaims, testClock } from './reserving.ts'
import { testText } from './text.ts'

/** Where a store keeps what it remembers. */
export interface StoreScene {
  /** One more connection to the same place, as another process would have it. */
  open(): Promise<IdempotencyStore>
  close(): Promise<void>
}

/**
 * What holds for every store, whichever of its connections is asked.
 *
 * @param clock whose clock the place goes by: a database within the process has no other.
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

    for (const test of [testClaims, testMemory, testVersions, testText, testRaces, testModel]) test(connection)
    if (clock === 'own') testClock(connection)
  })
}
