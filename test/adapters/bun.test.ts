import { testAdapter } from '../conformance/adapter.ts'
import { ELSEWHERE } from '../conformance/host.ts'
import { binaryOf, startRuntime } from '../conformance/runtime.ts'

testAdapter('Bun', () => startRuntime(binaryOf('bun/bin/bun.exe', '@oven', 'bin/bun'), [], 'bun.ts'), {
  ...ELSEWHERE,
  closing: 'Bun closes such a connection before it was read to its end, and no other',
})
