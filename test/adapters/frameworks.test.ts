import { testAdapter } from '../contracts/adapter/adapter.ts'
import { startFramework } from '../contracts/adapter/framework.ts'
import { type Limitations, NO_BACKGROUND, OTHER_PROCESS } from '../contracts/adapter/host.ts'
import { findBinary } from '../contracts/adapter/runtime.ts'
import { installFixture } from '../fixtures/install.ts'

const missing = await installFixture('frameworks')
const noBun = missing ?? (await installFixture('bun'))
const startTimeoutMs = 60_000

const HOSTS: Readonly<Record<string, readonly [host: string, limitations: Limitations]>> = {
  'h3 2': ['h3.js', { closing: 'Node closes the connection as soon as the answer has ended' }],
  'h3 1': ['h3-1.js', NO_BACKGROUND],
  hapi: ['hapi.js', { ...NO_BACKGROUND, 'any content type': 'hapi itself answers 400 to one that is malformed' }],
}

for (const [name, [host, limitations]] of Object.entries(HOSTS)) {
  testAdapter(name, () => startFramework('frameworks', `frameworks/${host}`), {
    missing,
    limitations: { ...OTHER_PROCESS, ...limitations },
    startTimeoutMs,
  })
}

testAdapter(
  'Elysia on Bun',
  () =>
    startFramework('frameworks', 'frameworks/elysia.js', [], findBinary('bun', 'bun/bin/bun.exe', '@oven', 'bin/bun')),
  {
    missing: noBun,
    limitations: {
      ...OTHER_PROCESS,
      'bounded draining': 'Bun goes on reading a chunked body',
      closing: 'Bun closes such a connection before it was read to its end, and no other',
    },
    startTimeoutMs,
  },
)
