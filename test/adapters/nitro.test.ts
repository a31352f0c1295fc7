import { testAdapter } from '../contracts/adapter/adapter.ts'
import { NO_BACKGROUND, OTHER_PROCESS } from '../contracts/adapter/host.ts'
import { startNitro } from '../contracts/adapter/nitro-project.ts'
import { installFixture } from '../fixtures/install.ts'

const missing = await installFixture('frameworks')
/** It is built first. */
const startTimeoutMs = 120_000

testAdapter('Nitro 2', () => startNitro('nitro-2'), {
  missing,
  limitations: { ...OTHER_PROCESS, ...NO_BACKGROUND },
  startTimeoutMs,
})
testAdapter('Nitro 3', () => startNitro('nitro-3'), {
  missing,
  limitations: {
    ...OTHER_PROCESS,
    closing: 'Node closes the connection as soon as the answer has ended',
    'draining what was announced': 'the server of Nitro 3.0 leaves it unread',
  },
  startTimeoutMs,
})
