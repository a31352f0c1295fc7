import { testAdapter } from '../conformance/adapter.ts'
import { ELSEWHERE } from '../conformance/host.ts'
import { binaryOf, startRuntime } from '../conformance/runtime.ts'

testAdapter('Deno', () => startRuntime(binaryOf('deno/deno', '@deno', 'deno'), ['run', '--allow-net'], 'deno.ts'), {
  ...ELSEWHERE,
  closing: 'Deno goes on reading what comes',
  'hanging up': 'Deno goes on reading what comes',
  'keep-alive': 'Deno closes the connection after a request with a body',
})
