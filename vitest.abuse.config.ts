import { defineConfig } from 'vitest/config'
import { alias } from './vitest.config.ts'

/** `npm run test:abuse`: floods and forgeries, one file after another, because they take what processors there are. */
export default defineConfig({
  resolve: { alias },
  test: {
    include: ['test/abuse/**/*.abuse.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
})
