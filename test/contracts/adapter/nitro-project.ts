import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { linkFrameworkModules } from '../../fixtures/framework-modules.ts'
import { bundleText } from './bundle.ts'
import { startChild } from './child.ts'
import type { Listening } from './host.ts'

/** The program of each major. */
const PROGRAMS = {
  'nitro-2': 'node_modules/nitropack/dist/cli/index.mjs',
  'nitro-3': 'node_modules/nitro/dist/cli/index.mjs',
}

/** Builds one of the projects in `hosts/` for Node, with the package as users get it, and starts it. */
export async function startNitro(host: keyof typeof PROGRAMS): Promise<Listening> {
  const project = mkdtempSync(join(tmpdir(), `hooklayer-${host}-`))
  const remove = () => rmSync(project, { recursive: true, force: true })
  try {
    cpSync(fileURLToPath(new URL(`./hosts/${host}`, import.meta.url)), project, { recursive: true })
    writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
    const receiver = "export { createScenarioReceiver } from './receiver-under-test.ts'"
    const [{ text }] = await Promise.all([
      bundleText(receiver, { conditions: [], external: ['hooklayer'] }),
      linkFrameworkModules(project, 'frameworks'),
    ])
    writeFileSync(join(project, 'receiver.js'), text)
    await promisify(execFile)(process.execPath, [PROGRAMS[host], 'build', '--preset', 'node-server'], { cwd: project })
    const env = { ...process.env, PORT: '0', HOST: '127.0.0.1' }
    const server = await startChild(process.execPath, ['.output/server/index.mjs'], { cwd: project, env })
    return {
      url: `${server.url.replace(/\/$/, '')}/webhooks`,
      async close() {
        await server.close()
        remove()
      },
    }
  } catch (error) {
    remove()
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${host} did not build or start. Its output:\n${stdout ?? ''}${stderr ?? ''}`, { cause: error })
  }
}
