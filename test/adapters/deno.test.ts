import { testAdapter } from '../contracts/adapter/adapter.ts'
import { OTHER_PROCESS } from '../contracts/adapter/host.ts'
import { findBinary, startRuntime } from '../contracts/adapter/runtime.ts'
import { installFixture } from '../fixtures/install.ts'

const missing = await installFixture('deno')
const ARGUMENTS = ['run', '--allow-net']

testAdapter('Deno', () => startRuntime(findBinary('deno', 'deno/deno', '@deno', 'deno'), ARGUMENTS, 'deno.ts'), {
  missing,
  limitations: {
    ...OTHER_PROCESS,
    'bounded draining': 'Deno goes on reading what comes',
    closing: 'Deno goes on reading what comes',
    'closing after a timeout': 'Deno goes on reading what comes',
    'keep-alive': 'Deno closes the connection after a request with a body',
  },
})
