import { describe } from 'vitest'
import { testDeadLetters } from './dead-letters.ts'
import { testExcusedFailures } from './excused-failures.ts'
import { testHandling } from './handling.ts'
import type { InboxSuite } from './harness.ts'
import { testOrder } from './order.ts'
import { testStopping } from './stopping.ts'
import { testStoring } from './storing.ts'
import { testWorker } from './worker.ts'

/**
 * What every inbox has to keep, on a real engine.
 *
 * @param start makes a place that is empty; the suite opens createSeveral inboxes on it, closes them, and ends the place.
 * @param options `isDurable`: whether what was stored is there when an inbox is opened anew; default true. `timeoutMs`: how long
 * to wait for what happens in the end; default 10 s.
 */
export function testInbox(
  name: string,
  start: InboxSuite['start'],
  { isDurable = true, timeoutMs = 10_000 }: Partial<Omit<InboxSuite, 'start'>> = {},
): void {
  const suite = { start, isDurable, timeoutMs }
  describe(name, { timeout: timeoutMs * 3 }, () => {
    testStoring(suite)
    testHandling(suite)
    testExcusedFailures(suite)
    testOrder(suite)
    testDeadLetters(suite)
    testStopping(suite)
    testWorker(suite)
  })
}
