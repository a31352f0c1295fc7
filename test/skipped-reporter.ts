import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** How suites say why they are not run, in their own name or in that of a test that stands in for them. */
const REASON = /(?:\(not here: (.+)\)| is not (?:tested|probed): (.+))$/

/** Prints after a run which tests were skipped: a line for each reason, with their number. */
export class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, number>()
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const reason = reasonOf(test)
        counts.set(reason, (counts.get(reason) ?? 0) + 1)
      }
    }
    const lines = [...counts].sort(([, a], [, b]) => b - a).map(([reason, count]) => `skipped ${count}: ${reason}`)
    if (lines.length > 0) console.log(`${lines.join('\n')}\n`)
  }
}

/** The reason is the note of `context.skip`, or stands in the name of the test or of a suite around it. */
function reasonOf(test: TestCase): string {
  const result = test.result()
  if (result.state === 'skipped' && result.note) return result.note
  for (let place: TestCase | TestCase['parent'] = test; place.type !== 'module'; place = place.parent) {
    const reason = REASON.exec(place.name)?.slice(1).find(Boolean)
    if (reason) return reason
  }
  return `no reason given, in ${test.module.relativeModuleId}`
}
