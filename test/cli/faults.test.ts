import { readFileSync } from 'node:fs'
import { createEmulator, type Faults } from 'hooklayer/emulator'
import { expect, it, onTestFinished } from 'vitest'
import { FAULT_NAMES, nameFault, toFaults } from '../../src/cli/dev/faults.ts'
import { FAULTS } from '../../src/cli/trigger/faults.ts'

/** `[option of the emulator, name on the command line]`, as the manual has them. */
const ROWS = Array.from(
  readFileSync('docs/emulator.md', 'utf8').matchAll(/^\| `(\w+)` \| `([a-z-]+)` \|/gm),
  ([, option = '', name = '']) => [option, name] as const,
)

it('the manual has each name of a fault, and all names of `trigger --fault` are among them', () => {
  expect(ROWS.map(([, name]) => name).sort()).toEqual([...FAULT_NAMES].sort())
  expect(FAULT_NAMES).toEqual(expect.arrayContaining(Object.keys(FAULTS)))
})

it.each(ROWS)('%s of the emulator is %s on the command line, where its own name is taken too', async (option, name) => {
  const faults = { [option]: 0.5 } satisfies Faults
  expect([toFaults(`${name}=0.5`), toFaults(`${option}=0.5`)]).toEqual([faults, faults])
  expect(nameFault(option)).toBe(name)
  const emulator = await createEmulator({ faults })
  onTestFinished(() => emulator.close())
})

it('a fault without a number happens with each delivery, and a delay is a second then', () => {
  expect(toFaults('wrong-signature, delay-ms,slow=0.1')).toEqual({ wrongSignature: 1, delayMs: 1000, slowBody: 0.1 })
})

it.each(['wrong-topic', 'toString', '', 'duplicate=often'])('"%s" is refused with all names', (text) => {
  expect(() => toFaults(text)).toThrow(`A fault is one of ${FAULT_NAMES.join(', ')}, as in duplicate=0.3.`)
})
