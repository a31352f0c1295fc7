import { describe } from 'vitest'
import { testAdapter } from '../contracts/adapter/adapter.ts'
import { NO_BACKGROUND } from '../contracts/adapter/host.ts'
import { createScenarioReceiver } from '../contracts/adapter/receiver-under-test.ts'
import { createApps, type ExpressModule, startExpress } from './express-apps.ts'
import { testMounting } from './express-mounting.ts'
import { testParsers } from './express-parsers.ts'
import { testTimeouts } from './express-timeouts.ts'

/** The contract suite on an Express, and tests of what is special to it: other middleware in front of the receiver. */
export function testExpress(name: string, express: ExpressModule): void {
  testAdapter(name, () => startExpress(express, createScenarioReceiver()), { limitations: NO_BACKGROUND })

  describe(`${name}, in particular:`, () => {
    const apps = createApps(express)
    testMounting(apps)
    testParsers(apps)
    testTimeouts(apps)
  })
}
