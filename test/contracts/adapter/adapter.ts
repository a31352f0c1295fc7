import { describeUnless } from '../../unless.ts'
import { testAnswers } from './answers.ts'
import { testBackground } from './background.ts'
import { testBodies } from './bodies.ts'
import { testConnections } from './connections.ts'
import { testEarlyAnswers } from './early-answers.ts'
import { testHangUps } from './hang-ups.ts'
import { createHost, type Limitations, type Listening } from './host.ts'
import { testLoad } from './load.ts'
import { testTimeOuts } from './time-outs.ts'

interface AdapterOptions {
  /** Why the framework cannot be started here: all cases are skipped. */
  readonly missing?: string | undefined
  /** What the platform cannot show, and why: such cases are skipped. */
  readonly limitations?: Limitations
  readonly startTimeoutMs?: number
}

/**
 * What every adapter has to keep, over real HTTP.
 *
 * @param start starts the framework on a free port with a stage (`createStage()`) in place of the receiver, in this process
 * or in another; the suite closes what it starts.
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
    testHangUps(host)
    testTimeOuts(host)
    testBackground(host)
  })
}
