import { describe } from 'vitest'
import { testAnswers } from './adapter-answers.ts'
import { testBodies } from './adapter-bodies.ts'
import { testConnections } from './adapter-connections.ts'
import { testEarlyAnswers } from './adapter-early-answers.ts'
import { testHangUps } from './adapter-hang-ups.ts'
import { testLoad } from './adapter-load.ts'
import { testPatience } from './adapter-patience.ts'
import { createStage, type Start } from './scene.ts'

export interface AdapterTraits {
  /** Whether requests reach the receiver while their bodies are still on the way: no for AWS Lambda, for instance. */
  readonly sockets: boolean
}

/**
 * What every adapter has to keep, over real HTTP.
 *
 * @param start starts the framework on a free port with the receiver it is given; the suite closes what it starts.
 */
export function testAdapter(name: string, start: Start, { sockets }: AdapterTraits): void {
  describe(name, () => {
    const stage = createStage(start)
    testAnswers(stage)
    testBodies(stage)
    testLoad(stage)
    if (!sockets) return
    testConnections(stage)
    testEarlyAnswers(stage)
    testHangUps(stage)
    testPatience(stage)
  })
}
