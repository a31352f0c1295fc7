import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleHost } from './bundle.ts'
import { startChild } from './child.ts'
import type { Listening } from './host.ts'

const MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url))
const MEGABYTE = 1024 * 1024

/** Starts one of `hosts/` in another runtime: as one bundle, the way it would be deployed. */
export async function startRuntime(binary: string, args: readonly string[], host: string): Promise<Listening> {
  const { text } = await bundleHost(host, { conditions: ['import'] })
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-'))
  const script = join(folder, 'host.mjs')
  writeFileSync(script, text)
  const child = await startChild(binary, [...args, script])
  return {
    url: child.url,
    async close() {
      await child.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/**
 * The program of a runtime that npm installs: where its install script put it, or in the package for this platform where
 * install scripts are not run.
 */
export function binaryOf(own: string, scope: string, within: string): string {
  const scoped = readdirSync(join(MODULES, scope)).map((name) => join(MODULES, scope, name, within))
  const found = [join(MODULES, own), ...scoped].find(isProgram)
  if (!found) throw new Error(`There is no program at ${own}, nor in a package of ${scope}.`)
  return found
}

/** A place-holder is a few bytes of text. */
function isProgram(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MEGABYTE
}
