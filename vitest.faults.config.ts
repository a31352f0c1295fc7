import { defineConfig } from 'vitest/config'
import { alias } from './vitest.config.ts'

/** `npm run test:faults`: real kills and outages, one file after another, for they take what processors there are. */
export default defineConfig({
  resolve: { alias },
  test: {
    include: ['test/faults/**/*.faults.ts'],
    globalSetup: 'test/faults/build.ts',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
})
