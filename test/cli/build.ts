import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { makeOnce } from '../fixtures/make-once.ts'

const run = promisify(execFile)
const CONFIGURATION = ['entries.ts', 'dashboard-assets.ts', 'tsup.config.ts', 'tsconfig.json']
const SOURCES = ['src', ...CONFIGURATION, 'package.json', 'package-lock.json']

/**
 * Builds the package without its declarations, once for all suites, until a source changes. The repository's own `dist`
 * is neither read nor written.
 *
 * @returns the absolute path of the package. `dist/cli.js` is in it.
 */
export async function buildPackage(): Promise<string> {
  const folder = resolve('test/cli/.built') // outside of node_modules, whose files tsup takes for another package's
  await makeOnce(folder, digest(), async () => {
    rmSync(folder, { recursive: true, force: true })
    for (const name of SOURCES) cpSync(name, join(folder, name), { recursive: true })
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
    await run(process.execPath, [resolve('node_modules/tsup/dist/cli-default.js')], { cwd: folder })
  })
  return folder
}

function digest(): string {
  const hash = createHash('sha256')
  for (const file of SOURCES.flatMap(listFiles)) hash.update(file).update(readFileSync(file))
  return hash.digest('hex')
}

function listFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path).flatMap((name) => listFiles(join(path, name)))
}
