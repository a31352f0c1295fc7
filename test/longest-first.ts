import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Suites that build or install something, or that wait for long, in this order. */
const LONGEST = [
  'test/faults/outages.faults.ts',
  'test/faults/wrong-receivers.faults.ts',
  'test/examples/next.test.ts',
  'test/adapters/next.test.ts',
  'test/package/',
  'test/adapters/nitro.test.ts',
  'test/adapters/frameworks.test.ts',
  'test/inboxes/bullmq/',
  'test/dashboard/inbox.test.ts',
  'test/adapters/http2.test.ts',
  'test/examples/cloudflare-queues.test.ts',
  'test/cli/dev',
  'test/emulator/cli',
  'test/docs/',
  'test/examples/',
  'test/inboxes/',
  'test/sqlite/',
  'test/dashboard/',
  'test/adapters/',
  'test/stores/',
  'test/management/recover/',
]

/** Starts the longest suites first, so that none of them is left when all others have finished. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => rankOf(a) - rankOf(b))
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = LONGEST.findIndex((path) => moduleId.includes(path))
  return rank === -1 ? LONGEST.length : rank
}
