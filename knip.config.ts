import type { KnipConfig } from 'knip'
import { listInternals, listModules } from './entries.ts'

const config: KnipConfig = {
  workspaces: {
    '.': {
      entry: [
        ...Object.values({ ...listModules(), ...listInternals() }),
        'examples/**/*.{js,ts}',
        'src/dashboard/ui/main.tsx',
        'test/contracts/adapter/hosts/*.ts',
        'test/core/event/young-garbage-program.ts',
        'test/contracts/adapter/hosts/frameworks/*.js',
        'test/nestjs/typed.ts',
        'test/docs/sentry-program.ts',
        'test/stores/sqlite-racer.ts',
        'test/telemetry/program.ts',
        'test/inboxes/*/child.ts',
        'test/faults/{shop/program,dying-responder}.ts',
        'test/faults/former/shop.mjs',
        'test/package/bundlers/shop.mjs',
        'test/package/installs/typed/*.ts',
        'test/faults/wrong-receivers/receivers/*.ts',
      ],
      ignore: ['test/contracts/adapter/hosts/{next,nitro-2,nitro-3}/**'],
      // Of fixtures, and of what the manual sets up.
      ignoreDependencies: [
        '@opentelemetry/exporter-metrics-otlp-http',
        '@opentelemetry/exporter-trace-otlp-http',
        '@opentelemetry/instrumentation',
        '@opentelemetry/instrumentation-http',
        '@types/express-session',
        '@codegenie/serverless-express',
        '@hapi/hapi',
        'elysia',
        'express-session',
        'h3',
        'h3-1',
        'miniflare',
        'next',
        'nitro',
      ],
    },
    'test/bench': { entry: ['bench.ts', '*-{receiver,lister}.ts'] },
    'test/fixtures/*': { ignoreDependencies: [/./] },
  },
  ignoreBinaries: ['fish', 'mount', 'openssl', 'pgrep', 'script', 'taskset', 'umount'],
}

export default config
