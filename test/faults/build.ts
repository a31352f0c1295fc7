import { build } from 'esbuild'

const FOLDER = new URL('./.built/', import.meta.url).pathname

/** The programs that fault tests start, bundled as plain JavaScript, because some are started hundreds of times. */
const PROGRAMS = { shop: './shop/program.ts', dying: './dying-responder.ts' }

/** The path of a program. */
export function programOf(name: keyof typeof PROGRAMS): string {
  return `${FOLDER}${name}.mjs`
}

/** Runs before all fault tests. */
export async function setup(): Promise<void> {
  await build({
    entryPoints: Object.entries(PROGRAMS).map(([out, source]) => {
      return { in: new URL(source, import.meta.url).pathname, out }
    }),
    outdir: FOLDER,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
  })
}
