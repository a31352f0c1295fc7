import { testAdapter } from '../contracts/adapter/adapter.ts'
import { ELSEWHERE } from '../contracts/adapter/host.ts'
import { binaryOf, startRuntime } from '../contracts/adapter/runtime.ts'

testAdapter('Deno', () => startRuntime(binaryOf('deno/deno', '@deno', 'deno'), ['run', '--allow-net'], 'deno.ts'), {
  ...ELSEWHERE,
  closing: 'Deno goes on reading what comes',
  'hanging up': 'Deno goes on reading what comes',
  'keep-alive': 'Deno closes the connection after a request with a body',
})
