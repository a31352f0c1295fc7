import { describe } from 'vitest'
import { testAnswers } from './answers.ts'
import { testBackground } from './background.ts'
import { testBodies } from './bodies.ts'
import { testConnections } from './connections.ts'
import { testEarlyAnswers } from './early-answers.ts'
import { testHangUps } from './hang-ups.ts'
import { createHost, type Lacks, type Listening } from './host.ts'
import { testLoad } from './load.ts'
import { testTimeOuts } from './time-outs.ts'

/**
 * What every adapter has to keep, over real HTTP.
 *
 * @param start starts the framework on a free port with a stage (`createStage()`) in place of the receiver, in this process
 * or in another; the suite closes what it starts.
 * @param lacks what the platform cannot show, and why: such cases are skipped.
 */
export function testAdapter(
  name: string,
  start: () => Promise<Listening>,
  lacks: Lacks = {},
  startWithinMs?: number,
): void {
  describe(name, () => {
    const host = createHost(start, lacks, startWithinMs)
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
