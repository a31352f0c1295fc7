import { describe } from 'vitest'
import { testDeadLetters } from './dead-letters.ts'
import { testExcuses } from './excuses.ts'
import { testHandling } from './handling.ts'
import type { InboxSuite } from './harness.ts'
import { testOrder } from './order.ts'
import { testStopping } from './stopping.ts'
import { testStoring } from './storing.ts'
import { testWorker } from './worker.ts'

/**
 * What every inbox has to keep, on a real engine.
 *
 * @param start makes a place that is empty; the suite opens several inboxes on it, closes them, and ends the place.
 * @param options `isDurable`: whether what was stored is there when an inbox is opened anew; default true. `patienceMs`: how long
 * to wait for what happens in the end; default 10 s.
 */
export function testInbox(
  name: string,
  start: InboxSuite['start'],
  { isDurable = true, patienceMs = 10_000 }: Partial<Omit<InboxSuite, 'start'>> = {},
): void {
  const suite = { start, isDurable, patienceMs }
  describe(name, { timeout: patienceMs * 3 }, () => {
    testStoring(suite)
    testHandling(suite)
    testExcuses(suite)
    testOrder(suite)
    testDeadLetters(suite)
    testStopping(suite)
    testWorker(suite)
  })
}
