import { defineConfig } from 'vitest/config'

const source = (path: string) => new URL(`./src/${path}`, import.meta.url).pathname

/** What the tests call by its public name. */
export const alias = {
  'hooklayer/express': source('adapters/express.ts'),
  'hooklayer/koa': source('adapters/koa.ts'),
  'hooklayer/next': source('adapters/next.ts'),
  'hooklayer/fetch': source('adapters/fetch.ts'),
  'hooklayer/lambda': source('adapters/lambda.ts'),
  'hooklayer/fastify': source('adapters/fastify.ts'),
  'hooklayer/node': source('adapters/node.ts'),
  'hooklayer/testing': source('testing/index.ts'),
  'hooklayer/emulator': source('emulator/index.ts'),
  'hooklayer/management': source('management/index.ts'),
  'hooklayer/stores': source('stores'),
  'hooklayer/inboxes': source('inboxes'),
  hooklayer: source('index.ts'),
}

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
