import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { ENTRIES, toSpecifier } from './entries.ts'
import { LongestFirst } from './test/longest-first.ts'
import { SkippedReporter } from './test/skipped-reporter.ts'

const root = new URL('./', import.meta.url).pathname

/** Tests import the package by its public names, and get its sources. */
export const alias = Object.entries(ENTRIES).map(([subpath, source]) => ({
  find: new RegExp(`^${toSpecifier(subpath)}$`),
  replacement: root + source,
}))

/** Pure and in-process tests: nothing in them starts another process, needs a database or builds something. */
const UNIT = [
  'test/{commerce-layer,core,receiver,responder,testing,wire}/**/*.test.ts',
  'test/{management/{client,subscribe},inboxes/queue}/**/*.test.ts',
  'test/stores/memory.test.ts',
  'test/types.test.ts',
]

/** `npm run test:shops`: other runtimes and frameworks from their fixtures, and what uses the packed tarball. */
export const SHOPS = [
  'test/adapters/{bun,deno,edge,express-lambda,frameworks,next,nitro,workerd}.test.ts',
  'test/examples/**/*.test.ts',
  'test/nestjs/versions.test.ts',
  'test/package/**/*.test.ts',
  'test/stores/upstash.test.ts',
]

/** `npm run test:cli`: the commands as processes, many of them in a pseudo-terminal. */
export const CLI = ['test/cli/**/*.test.ts']

/** `npm run test:engines`: stores and inboxes in SQLite, Redis and PostgreSQL, and what becomes of them in an outage. */
export const ENGINES = [
  'test/sqlite/**/*.test.ts',
  'test/inboxes/{bullmq,sqlite}/**/*.test.ts',
  'test/stores/{postgres,redis,redis-cluster,rolling-deploy,round-trips,sqlite}.test.ts',
  'test/management/recover/recover-engines.test.ts',
]

/** Without isolation a worker loads each module once, and not once for each file: a third of the time of a run. */
const SHARED = { isolate: false, testTimeout: 30_000, expect: { poll: { timeout: 10_000 } } }

/** The configuration of a suite that has a command of its own. */
export function defineSuite(include: string[], maxWorkers: number): ViteUserConfig {
  return defineConfig({
    resolve: { alias },
    test: {
      ...SHARED,
      include,
      reporters: ['default', new SkippedReporter()],
      sequence: { sequencer: LongestFirst },
      maxWorkers,
      hookTimeout: 30_000,
    },
  })
}

export default defineConfig({
  test: {
    reporters: ['default', new SkippedReporter()],
    sequence: { sequencer: LongestFirst },
    // Most suites wait for servers and timers most of the time: more workers than processors keep these busy.
    maxWorkers: 4,
    projects: [
      {
        resolve: { alias },
        test: { ...SHARED, name: 'unit', include: UNIT, pool: 'threads' },
      },
      {
        resolve: { alias },
        test: {
          ...SHARED,
          name: 'integration',
          include: ['test/**/*.test.ts'],
          exclude: ['**/node_modules/**', 'test/browser/**', ...UNIT, ...SHOPS, ...CLI, ...ENGINES],
          hookTimeout: 30_000,
        },
      },
    ],
    coverage: {
      include: ['src/**'],
      exclude: ['src/wire/sdk-examples.ts'],
      reporter: ['text-summary'],
      thresholds: { 'src/core/**': { 100: true }, 'src/receiver/receiver.ts': { 100: true } },
    },
  },
})
