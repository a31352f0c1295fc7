import { defineConfig } from 'tsup'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    express: 'src/adapters/express.ts',
    koa: 'src/adapters/koa.ts',
    next: 'src/adapters/next.ts',
    'next-edge': 'src/adapters/next-route.ts',
    fetch: 'src/adapters/fetch.ts',
    lambda: 'src/adapters/lambda.ts',
    fastify: 'src/adapters/fastify.ts',
    node: 'src/adapters/node.ts',
    testing: 'src/testing/index.ts',
    emulator: 'src/emulator/index.ts',
    'emulator-cli': 'src/emulator/cli.ts',
    management: 'src/management/index.ts',
  },
  format: ['esm', 'cjs'],
  target: 'node20.19',
  platform: 'neutral',
  dts: true,
  clean: true,
})
