import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/longest-first.ts'
import { SkippedReporter } from './test/skipped-reporter.ts'
import { alias, CLI, SHARED } from './vitest.config.ts'

/** `npm run test:cli`: the package is built once, and each test starts the command as a process. */
export default defineConfig({
  resolve: { alias },
  test: {
    ...SHARED,
    include: CLI,
    reporters: ['default', new SkippedReporter()],
    sequence: { sequencer: LongestFirst },
    maxWorkers: 4,
    hookTimeout: 30_000,
  },
})
