import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { linkFrameworkModules } from '../../fixtures/framework-modules.ts'
import type { Fixture } from '../../fixtures/install.ts'
import { bundleHost } from './bundle.ts'
import { startChild } from './child.ts'
import type { Listening } from './host.ts'

/** What a host imports from the `node_modules` of its project. */
const EXTERNAL = ['hooklayer', '@nestjs/*', 'reflect-metadata', '@hapi/hapi', 'elysia', 'h3', 'h3-1']

/**
 * Starts one of `hosts/` in a project with the packages of a fixture, and with the package as users get it.
 *
 * @param args for the host.
 * @param program that runs it. Default: Node.
 */
export async function startFramework(
  fixture: Fixture,
  host: string,
  args: readonly string[] = [],
  program: string = process.execPath,
): Promise<Listening> {
  const project = mkdtempSync(join(tmpdir(), 'hooklayer-'))
  const [{ text }] = await Promise.all([
    bundleHost(host, { conditions: [], external: EXTERNAL }),
    linkFrameworkModules(project, fixture),
  ])
  const script = join(project, 'host.mjs')
  writeFileSync(script, text)
  const child = await startChild(program, [script, ...args], { cwd: project })
  return {
    url: child.url,
    async close() {
      await child.close()
      rmSync(project, { recursive: true })
    },
  }
}
