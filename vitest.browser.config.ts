import { defineConfig } from 'vitest/config'
import { SkippedReporter } from './test/skipped-reporter.ts'
import { alias } from './vitest.config.ts'

/** `npm run test:browser`: the dashboard in Chromium, one file after another, because some measure times. */
export default defineConfig({
  resolve: { alias },
  test: {
    include: ['test/browser/**/*.test.ts'],
    globalSetup: ['test/browser/start-chromium.ts'],
    reporters: ['default', new SkippedReporter()],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
  },
})
