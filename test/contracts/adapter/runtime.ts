import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Fixture, fixtureFolder } from '../../fixtures/install.ts'
import { bundleHost } from './bundle.ts'
import { startChild } from './child.ts'
import type { Listening } from './host.ts'

const MEGABYTE = 1024 * 1024

/** Starts one of `hosts/` in another runtime, as one bundle, as it would be deployed. */
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
 * The program of a runtime that its fixture installs: where its install script puts it, or in the package for this
 * platform where install scripts are not run.
 */
export function findBinary(fixture: Fixture, own: string, scope: string, within: string): string {
  const modules = join(fixtureFolder(fixture), 'node_modules')
  const scoped = readdirSync(join(modules, scope)).map((name) => join(modules, scope, name, within))
  const found = [join(modules, own), ...scoped].find(isProgram)
  if (!found) throw new Error(`There is no program at ${own}, nor in a package of ${scope}.`)
  return found
}

/** Where install scripts are not run, a placeholder of a few bytes is in its place. */
function isProgram(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MEGABYTE
}
