import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

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
  readonly external?: readonly string[]
}

/** Bundles one of `hosts/` with all its imports, from the sources, as for a platform without Node. */
export function bundleHost(name: string, options: BundleOptions): Promise<Bundle> {
  return bundle({ entryPoints: [fileURLToPath(new URL(`./hosts/${name}`, import.meta.url))] }, options)
}

/** Bundles a module that is given as text. */
export function bundleText(contents: string, options: BundleOptions): Promise<Bundle> {
  return bundle({ stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) } }, options)
}

async function bundle(
  entry: { entryPoints: string[] } | { stdin: { contents: string; resolveDir: string } },
  { conditions, external = [] }: BundleOptions,
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
  })
  const outputs = Object.values(metafile.outputs)
  return {
    text: outputFiles.map(({ text }) => text).join('\n'),
    imports: outputs.flatMap(({ imports }) => imports.map(({ path }) => path)),
    inputs: Object.keys(metafile.inputs),
  }
}
