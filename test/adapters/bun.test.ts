import { testAdapter } from '../contracts/adapter/adapter.ts'
import { OTHER_PROCESS } from '../contracts/adapter/host.ts'
import { findBinary, startRuntime } from '../contracts/adapter/runtime.ts'
import { installFixture } from '../fixtures/install.ts'

const missing = await installFixture('bun')

testAdapter('Bun', () => startRuntime(findBinary('bun', 'bun/bin/bun.exe', '@oven', 'bin/bun'), [], 'bun.ts'), {
  missing,
  limitations: {
    ...OTHER_PROCESS,
    'bounded draining': 'Bun goes on reading a chunked body',
    closing: 'Bun closes such a connection before it was read to its end, and no other',
  },
})
