import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Names in a bundle: what it imports from elsewhere, and its text. */
export interface Bundle {
  readonly text: string
  readonly imports: readonly string[]
  /** The files that went into it. */
  readonly inputs: readonly string[]
}

interface BundleOptions {
  readonly conditions: readonly string[]
  readonly external?: readonly string[]
}

/** One of `hosts/` with all it needs, out of the sources, as a bundler sees them where there is no Node. */
export function bundleHost(name: string, options: BundleOptions): Promise<Bundle> {
  return bundle({ entryPoints: [fileURLToPath(new URL(`./hosts/${name}`, import.meta.url))] }, options)
}

/** The same for a line of code. */
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
