import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { fixtureFolder } from '../../fixtures/install.ts'

/** Bundles the entry of a project with all that it imports, and rejects if the bundler reports an error. */
export type Bundle = (entry: string, outFile: string) => Promise<void>

/** What is used of the bundlers: the fixture has their types, and `npm run types` does without it. */
type Loaded = Readonly<Record<string, (options?: unknown, ended?: (error: unknown, stats: Stats) => void) => unknown>>

interface Stats {
  readonly hasErrors: () => boolean
  readonly toString: (options: string) => string
}

async function load(name: string): Promise<Loaded> {
  const { resolve } = createRequire(join(fixtureFolder('bundlers'), 'package.json'))
  return import(pathToFileURL(resolve(name)).href)
}

/** Each for Node, with the packages inside. Bundlers warn of drivers that are missing; they must not fail. */
export const BUNDLERS: Readonly<Record<string, Bundle>> = {
  async esbuild(entry, outFile) {
    const { build } = await load('esbuild')
    await build?.({ entryPoints: [entry], outfile: outFile, bundle: true, platform: 'node', logLevel: 'silent' })
  },
  async webpack(entry, outFile) {
    const { default: webpack } = await load('webpack')
    const output = { path: join(outFile, '..'), filename: 'bundle.cjs' }
    await new Promise<void>((resolve, reject) => {
      webpack?.({ mode: 'none', target: 'node20', context: join(entry, '..'), entry, output }, (error, stats) => {
        if (error || stats.hasErrors()) reject(error ?? new Error(stats.toString('errors-only')))
        else resolve()
      })
    })
  },
  async rollup(entry, outFile) {
    const { rollup } = await load('rollup')
    const names = ['node-resolve', 'commonjs', 'json']
    const [resolve, commonjs, json] = await Promise.all(names.map((name) => load(`@rollup/plugin-${name}`)))
    const plugins = [
      resolve?.nodeResolve?.({ preferBuiltins: true, exportConditions: ['node'] }),
      commonjs?.default?.({ ignoreTryCatch: true }),
      json?.default?.(),
    ]
    const made = (await rollup?.({ input: entry, plugins, onwarn: () => {} })) as {
      write(options: object): Promise<void>
    }
    await made.write({ file: outFile, format: 'cjs', inlineDynamicImports: true })
  },
  async vite(entry, outFile) {
    const { build } = await load('vite')
    await build?.({
      root: join(entry, '..'),
      configFile: false,
      logLevel: 'silent',
      // Vite's stand-in for `pg-native`, which pg does without, throws when pg is loaded.
      ssr: { noExternal: /^(?!pg$)/, external: ['pg'], target: 'node' },
      build: {
        ssr: entry,
        outDir: join(outFile, '..'),
        emptyOutDir: false,
        // In one file, what stands for a missing driver would throw at the start.
        rollupOptions: { output: { format: 'cjs', entryFileNames: 'bundle.cjs', chunkFileNames: '[name].cjs' } },
      },
    })
  },
}
