import { pathToFileURL } from 'node:url'
import { build } from 'tsup'

type Core = typeof import('../../src/index.ts')
type Express = typeof import('../../src/adapters/express.ts')

const OUT = 'node_modules/.cache/hooklayer-bench'

/**
 * Builds what is measured: the bundle that users install. Run from its sources, by way of tsx, each function that is made at
 * run time would cost a call more (esbuild's `keepNames`).
 */
export async function buildSubject(): Promise<void> {
  await build({ dts: false, format: ['esm'], outDir: OUT, sourcemap: false, silent: true })
}

export function builtCore(): Promise<Core> {
  return import(entry('index'))
}

export function builtExpress(): Promise<Express> {
  return import(entry('express'))
}

function entry(name: string): string {
  return pathToFileURL(`${OUT}/${name}.js`).href
}
