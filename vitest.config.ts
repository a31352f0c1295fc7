import { defineConfig } from 'vitest/config'
import { ENTRIES, toSpecifier } from './entries.ts'

const root = new URL('./', import.meta.url).pathname

/** Tests import the package by its public names, and get its sources. */
export const alias = Object.entries(ENTRIES).map(([subpath, source]) => ({
  find: new RegExp(`^${toSpecifier(subpath)}$`),
  replacement: root + source,
}))

export default defineConfig({
  resolve: { alias },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 15_000,
    typecheck: { enabled: false },
    coverage: {
      include: ['src/**'],
      exclude: ['src/wire/sdk-examples.ts'],
      reporter: ['text-summary'],
      thresholds: { 'src/core/**': { 100: true }, 'src/receiver/receiver.ts': { 100: true } },
    },
  },
})
