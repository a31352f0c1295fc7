import { describe } from 'vitest'
import { testAnswers } from './adapter-answers.ts'
import { testBackground } from './adapter-background.ts'
import { testBodies } from './adapter-bodies.ts'
import { testConnections } from './adapter-connections.ts'
import { testEarlyAnswers } from './adapter-early-answers.ts'
import { testHangUps } from './adapter-hang-ups.ts'
import { testLoad } from './adapter-load.ts'
import { testPatience } from './adapter-patience.ts'
import { createHost, type Lacks, type Listening } from './host.ts'

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
    testPatience(host)
    testBackground(host)
  })
}
