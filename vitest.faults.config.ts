import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/longest-first.ts'
import { alias } from './vitest.config.ts'

const SHARED = { globalSetup: 'test/faults/build.ts', testTimeout: 120_000, hookTimeout: 60_000 }

/** These wait for outages, deadlines and leases most of the time. */
const WAITING = [
  'dying-handlers',
  'locks',
  'outages',
  'shutdown',
  'slow-handlers',
  'sqlite-files',
  'wrong-receivers',
].map((name) => `test/faults/${name}.faults.ts`)

/** `npm run test:faults`: real kills and outages. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        resolve: { alias },
        // One file after another, for they take what processors there are.
        test: {
          ...SHARED,
          name: 'busy',
          include: ['test/faults/**/*.faults.ts'],
          exclude: WAITING,
          maxWorkers: 1,
          sequence: { groupOrder: 0 },
        },
      },
      {
        resolve: { alias },
        test: { ...SHARED, name: 'waiting', include: WAITING, maxWorkers: 3, sequence: { groupOrder: 1 } },
      },
    ],
  },
})
