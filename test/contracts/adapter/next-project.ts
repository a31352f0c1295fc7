import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildWithCache } from '../../fixtures/next-build.ts'
import { linkNextModules } from '../../fixtures/next-modules.ts'
import { bundleText } from './bundle.ts'
import { startChild } from './child.ts'
import type { Listening } from './host.ts'

const PAGES = fileURLToPath(new URL('./hosts/next', import.meta.url))
const NEXT = 'node_modules/next/dist/bin/next'
const run = promisify(execFile)

/** Builds and starts the project in `hosts/next`, with the package as users get it. */
export async function startNext(): Promise<Listening> {
  const project = mkdtempSync(join(tmpdir(), 'hooklayer-next-'))
  const remove = () => rmSync(project, { recursive: true, force: true })
  const env = { ...process.env, NODE_ENV: 'production' as const, NEXT_TELEMETRY_DISABLED: '1' }
  try {
    cpSync(PAGES, project, { recursive: true })
    await install(project)
    await buildWithCache(project, 'adapters', () => run(process.execPath, [NEXT, 'build'], { cwd: project, env }))
    const server = await startChild(process.execPath, [NEXT, 'start', '-p', '0', '-H', '127.0.0.1'], {
      cwd: project,
      env,
      urlPattern: /(http:\/\/127\.0\.0\.1:\d+)[\s\S]*Ready/,
    })
    return {
      url: server.url,
      async close() {
        await server.close()
        remove()
      },
    }
  } catch (error) {
    remove()
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`Next did not build or start. Its output:\n${stdout ?? ''}${stderr ?? ''}`, { cause: error })
  }
}

async function install(project: string): Promise<void> {
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  const receiver = "export { createScenarioReceiver } from './receiver-under-test.ts'"
  const [{ text }] = await Promise.all([
    bundleText(receiver, { conditions: [], external: ['hooklayer'] }),
    linkNextModules(project),
  ])
  writeFileSync(join(project, 'receiver.js'), text)
}
