import { describeUnless } from '../../unless.ts'
import { testAnswers } from './answers.ts'
import { testBackground } from './background.ts'
import { testBodies } from './bodies.ts'
import { testConnections } from './connections.ts'
import { testDisconnects } from './disconnects.ts'
import { testEarlyAnswers } from './early-answers.ts'
import { createHost, type Limitations, type Listening } from './host.ts'
import { testLoad } from './load.ts'
import { testMalformed } from './malformed.ts'
import { testResponders } from './responders.ts'
import { testTimeouts } from './timeouts.ts'

interface AdapterOptions {
  /** Why the framework cannot be started here: all tests are skipped. */
  readonly missing?: string | undefined
  /** What the platform does not support, and why: such tests are skipped. */
  readonly limitations?: Limitations
  readonly startTimeoutMs?: number
}

/**
 * The contract of every adapter, tested over real HTTP.
 *
 * @param start starts the framework on a free port, with `createScenarioReceiver()` in place of the receiver, in this
 * process or in another. The suite closes what it starts.
 */
export function testAdapter(
  name: string,
  start: () => Promise<Listening>,
  { missing, limitations = {}, startTimeoutMs = 15_000 }: AdapterOptions = {},
): void {
  describeUnless(missing)(name, () => {
    const host = createHost(start, limitations, startTimeoutMs)
    testAnswers(host)
    testBodies(host)
    testLoad(host)
    testConnections(host)
    testEarlyAnswers(host)
    testDisconnects(host)
    testMalformed(host)
    testTimeouts(host)
    testBackground(host)
    testResponders(host)
  })
}
