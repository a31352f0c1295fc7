import { build } from 'esbuild'

/** Where the program of a shop is, as plain JavaScript: processes of it are started by the hundred. */
export const PROGRAM = new URL('./.built/program.mjs', import.meta.url).pathname

/** Before all fault tests. */
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
