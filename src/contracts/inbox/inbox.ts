import { describe } from 'vitest'
import { testDeadLetters } from './dead-letters.ts'
import { testErasing } from './erasing.ts'
import { testExcusedFailures } from './excused-failures.ts'
import { testHandling } from './handling.ts'
import type { InboxSuite } from './harness.ts'
import { testListing } from './listing.ts'
import { testOrder } from './order.ts'
import { testStopping } from './stopping.ts'
import { testStoring } from './storing.ts'
import { testTimeouts } from './timeouts.ts'
import { testUnhandled } from './unhandled.ts'
import { testWorker } from './worker.ts'

export type InboxSuiteOptions = Partial<Pick<InboxSuite, 'timeoutMs' | 'isDurable'>>

/**
 * Registers the cases that every inbox must pass. They run with vitest, on the real engine.
 *
 * @param start makes an empty place for each test. The suite opens several inboxes on it, closes them, and ends it.
 * @param options `isDurable`: whether deliveries survive closing the inbox; default: true. `timeoutMs`: how long to
 * wait for an expected state; default: 10,000.
 * @example
 * testInbox('the inbox in a file', () => {
 *   const file = join(mkdtempSync(join(tmpdir(), 'inbox-')), 'inbox.db')
 *   const open = (options) => createSqliteInbox({ file, ...options })
 *   return { open, end: () => rmSync(dirname(file), { recursive: true }) }
 * })
 * @see docs/writing-an-inbox.md
 */
export function testInbox(
  name: string,
  start: InboxSuite['start'],
  { isDurable = true, timeoutMs = 10_000 }: InboxSuiteOptions = {},
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
    testUnhandled(suite)
    testTimeouts(suite)
    testListing(suite)
    testErasing(suite)
  })
}
