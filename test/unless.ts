import { describe, it, type TestOptions } from 'vitest'

type Suite = [body: () => void] | [options: TestOptions, body: () => void]
type Case = [body: () => unknown, timeout?: number]

/** `describe`; where there is a reason why not, it is skipped, and its name says why. */
export function describeUnless(reason: string | undefined): (name: string, ...suite: Suite) => void {
  return (name, ...suite) => {
    const [options, body] = suite.length === 1 ? [{}, suite[0]] : suite
    if (reason) describe.skip(nameWithReason(name, reason), options, body)
    else describe(name, options, body)
  }
}

/** The same for `it`. */
export function itUnless(reason: string | undefined): (name: string, ...testCase: Case) => void {
  return (name, body, timeout) => {
    if (reason) it.skip(nameWithReason(name, reason), () => {})
    else it(name, body, timeout)
  }
}

function nameWithReason(name: string, reason: string): string {
  return `${name} (not here: ${reason})`
}
