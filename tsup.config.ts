import type { Plugin } from 'esbuild'
import { defineConfig } from 'tsup'
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

export default defineConfig({
  entry: { ...listModules(), ...listPrograms(), ...listInternals() },
  format: ['esm', 'cjs'],
  target: 'node20.19',
  platform: 'neutral',
  clean: true,
  sourcemap: true,
  dts: false, // `declarations.ts` makes them: tsup's have no maps, and its chunks bear the names of internal files.
  esbuildPlugins: [platformByCondition],
  esbuildOptions(options) {
    options.chunkNames = 'chunk-[hash]'
    options.sourcesContent = false // The package has `src`, to which the maps point.
  },
})
