import { testAdapter } from '../contracts/adapter/adapter.ts'
import { ELSEWHERE } from '../contracts/adapter/host.ts'
import { binaryOf, startRuntime } from '../contracts/adapter/runtime.ts'

testAdapter('Bun', () => startRuntime(binaryOf('bun/bin/bun.exe', '@oven', 'bin/bun'), [], 'bun.ts'), {
  ...ELSEWHERE,
  closing: 'Bun closes such a connection before it was read to its end, and no other',
})
