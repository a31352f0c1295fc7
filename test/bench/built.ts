import { pathToFileURL } from 'node:url'
import { dashboardAssets } from '../../dashboard-assets.ts'

interface Entries {
  index: typeof import('../../src/index.ts')
  express: typeof import('../../src/adapters/express.ts')
  fastify: typeof import('../../src/adapters/fastify.ts')
  fetch: typeof import('../../src/adapters/fetch.ts')
  koa: typeof import('../../src/adapters/koa.ts')
  opentelemetry: typeof import('../../src/telemetry/opentelemetry.ts')
  recorder: typeof import('../../src/recorder/recorder.ts')
  responder: typeof import('../../src/responder/index.ts')
  node: typeof import('../../src/adapters/node.ts')
  'stores/memory': typeof import('../../src/stores/memory.ts')
  'stores/sqlite': typeof import('../../src/stores/sqlite.ts')
  'stores/redis': typeof import('../../src/stores/redis.ts')
  'stores/postgres': typeof import('../../src/stores/postgres.ts')
  'inboxes/sqlite': typeof import('../../src/inboxes/sqlite.ts')
  'inboxes/bullmq': typeof import('../../src/inboxes/bullmq.ts')
}

const OUT = 'node_modules/.cache/hooklayer-bench'

/**
 * Builds what is measured: the bundle that users install. Sources that run through tsx are slower: its `keepNames` adds
 * a call to each function that is made at run time.
 */
export async function buildSubject(): Promise<void> {
  const { build } = await import('tsup') // Imported here, so that it is not in the memory of a server that only loads the bundle.
  // Without the first plugin of the configuration the platform is a part of the bundle: this folder has no `imports`.
  const esbuildPlugins = [dashboardAssets]
  await build({ dts: false, format: ['esm'], outDir: OUT, sourcemap: false, silent: true, esbuildPlugins })
}

export function built<Name extends keyof Entries>(name: Name): Promise<Entries[Name]> {
  return import(pathToFileURL(`${OUT}/${name.replaceAll('/', '-')}.js`).href)
}
