import { build } from 'esbuild'

/** The program of a shop, bundled as plain JavaScript, because it is started hundreds of times. */
export const PROGRAM = new URL('./.built/program.mjs', import.meta.url).pathname

/** Runs before all fault tests. */
export async function setup(): Promise<void> {
  await build({
    entryPoints: [new URL('./shop/program.ts', import.meta.url).pathname],
    outfile: PROGRAM,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
  })
}
