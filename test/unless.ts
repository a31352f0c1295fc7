import { describe, type TestOptions } from 'vitest'
import { nameWithReason } from '../src/contracts/helpers.ts'

export { itUnless } from '../src/contracts/helpers.ts'

type Suite = [body: () => void] | [options: TestOptions, body: () => void]

/** `describe`; where there is a reason why not, it is skipped, and its name says why. */
export function describeUnless(reason: string | undefined): (name: string, ...suite: Suite) => void {
  return (name, ...suite) => {
    const [options, body] = suite.length === 1 ? [{}, suite[0]] : suite
    if (reason) describe.skip(nameWithReason(name, reason), options, body)
    else describe(name, options, body)
  }
}
