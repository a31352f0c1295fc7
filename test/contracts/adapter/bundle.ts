import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

/** The text of a bundle, and what went into it. */
export interface Bundle {
  readonly text: string
  /** What the bundle still imports. */
  readonly imports: readonly string[]
  /** The files that went into it. */
  readonly inputs: readonly string[]
}

interface BundleOptions {
  readonly conditions: readonly string[]
  /** The folder of the packed package, for a bundle of what users get. Default: the sources. */
  readonly packed?: string
  readonly external?: readonly string[]
}

/** Bundles one of `hosts/` with all its imports, as for a platform without Node. */
export function bundleHost(name: string, options: BundleOptions): Promise<Bundle> {
  return bundle({ entryPoints: [fileURLToPath(new URL(`./hosts/${name}`, import.meta.url))] }, options)
}

/** Bundles a module that is given as text. */
export function bundleText(contents: string, options: BundleOptions): Promise<Bundle> {
  return bundle({ stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) } }, options)
}

async function bundle(
  entry: { entryPoints: string[] } | { stdin: { contents: string; resolveDir: string } },
  { conditions, packed, external = [] }: BundleOptions,
): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    ...entry,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
    conditions: [...conditions],
    external: ['node:*', ...external],
    ...(packed && { plugins: [resolveFrom(packed)], tsconfigRaw: {} }), // without the `paths` that lead to the sources
  })
  const outputs = Object.values(metafile.outputs)
  return {
    text: outputFiles.map(({ text }) => text).join('\n'),
    imports: outputs.flatMap(({ imports }) => imports.map(({ path }) => path)),
    inputs: Object.keys(metafile.inputs),
  }
}

/** Resolves the public names of the package as its own folder does: by `exports`, with the conditions of the bundle. */
function resolveFrom(packed: string): Plugin {
  return {
    name: 'packed',
    setup(bundler) {
      bundler.onResolve({ filter: /^hooklayer(\/|$)/ }, ({ path, kind, pluginData }) =>
        pluginData === packed ? undefined : bundler.resolve(path, { kind, resolveDir: packed, pluginData: packed }),
      )
    },
  }
}
