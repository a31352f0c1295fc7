import { defineConfig } from 'vitest/config'
import { FUZZ_SECONDS } from './test/abuse/fuzz/fuzz.ts'
import { SkippedReporter } from './test/skipped-reporter.ts'
import { alias } from './vitest.config.ts'

/**
 * `npm run test:abuse`: floods, forgeries, and inputs drawn at random. One file after another, because they take what
 * processors there are.
 */
export default defineConfig({
  resolve: { alias },
  test: {
    include: ['test/abuse/**/*.abuse.ts'],
    reporters: ['default', new SkippedReporter()],
    fileParallelism: false,
    testTimeout: 300_000 + FUZZ_SECONDS * 1000,
    hookTimeout: 60_000,
  },
})
