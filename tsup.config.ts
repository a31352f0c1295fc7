import { defineConfig } from 'tsup'
import { listModules, listPrograms } from './entries.ts'

export default defineConfig({
  entry: { ...listModules(), ...listPrograms() },
  format: ['esm', 'cjs'],
  target: 'node20.19',
  platform: 'neutral',
  clean: true,
  sourcemap: true,
  dts: false, // `declarations.ts` makes them: tsup's have no maps, and its chunks bear the names of internal files.
  esbuildOptions(options) {
    options.chunkNames = 'chunk-[hash]'
    options.sourcesContent = false // The package has `src`, to which the maps point.
  },
})
