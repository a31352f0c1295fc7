import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/longest-first.ts'
import { SkippedReporter } from './test/skipped-reporter.ts'
import { alias, SHARED, SHOPS } from './vitest.config.ts'

/** `npm run test:shops`: what shops run the package in. It installs and builds, which takes minutes of processor time. */
export default defineConfig({
  resolve: { alias },
  test: {
    ...SHARED,
    include: SHOPS,
    reporters: ['default', new SkippedReporter()],
    sequence: { sequencer: LongestFirst },
    maxWorkers: 3,
    hookTimeout: 30_000,
  },
})
