import type { Plugin } from 'esbuild'
import { defineConfig, type Options } from 'tsup'
import { dashboardAssets } from './dashboard-assets.ts'
import { listInternals, listModules, listPrograms, PLATFORM } from './entries.ts'

/** Leaves the choice of the platform's module to `imports` of package.json. */
const platformByCondition: Plugin = {
  name: 'platform-by-condition',
  setup(build) {
    build.onResolve({ filter: /\/platform\.ts$/ }, ({ kind }) =>
      kind === 'entry-point' ? undefined : { path: PLATFORM.specifier, external: true },
    )
  },
}

const SHARED = {
  target: 'node20.19',
  sourcemap: true,
  esbuildOptions(options) {
    options.chunkNames = 'chunk-[hash]'
    options.sourcesContent = false // The package has `src`, to which the maps point.
  },
} satisfies Options

/** `npm run build` empties `dist` first: the two are built side by side. */
export default defineConfig([
  {
    ...SHARED,
    entry: { ...listModules(), ...listInternals() },
    format: ['esm', 'cjs'],
    platform: 'neutral',
    dts: false, // `declarations.ts` makes them: tsup's have no maps, and its chunks bear the names of internal files.
    esbuildPlugins: [platformByCondition, dashboardAssets],
  },
  {
    ...SHARED,
    entry: listPrograms(),
    format: ['esm'],
    platform: 'node',
    // A configuration imports the entries too, so each must be loaded once: from its own file.
    external: [/^hooklayer(\/|$)/],
    // Bundled CommonJS requires modules of Node.
    banner: {
      js: "import { createRequire as toRequire } from 'node:module'; const require = toRequire(import.meta.url);",
    },
  },
])
