import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { makeOnce } from '../fixtures/make-once.ts'

const run = promisify(execFile)

/** The lock file is among them because another compiler may build another package. */
const SOURCES = ['src', ...readdirSync('.').filter((name) => /\.(json|md|ts)$|^LICENSE$/.test(name))]

/**
 * Builds the package and packs it, as `npm publish` would; once for all suites, until a source changes. The
 * repository's own `dist` is neither read nor written.
 *
 * @returns the absolute path of the unpacked tarball.
 */
export async function packPackage(): Promise<string> {
  const folder = resolve('test/package/.packed') // outside of node_modules, whose files tsup takes for another package's
  await makeOnce(folder, digestOf(SOURCES), async () => {
    rmSync(folder, { recursive: true, force: true })
    for (const name of SOURCES) cpSync(name, join(folder, name), { recursive: true })
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
    await run('npm', ['run', 'build'], { cwd: folder })
    const { stdout } = await run('npm', ['pack', '--json'], { cwd: folder })
    const [{ filename }] = JSON.parse(stdout)
    renameSync(join(folder, filename), join(folder, TARBALL))
    await run('tar', ['-xzf', TARBALL], { cwd: folder })
  })
  return join(folder, 'package')
}

const TARBALL = 'hooklayer.tgz'

/** The same, packed. @returns the absolute path of the tarball. */
export async function packTarball(): Promise<string> {
  return join(await packPackage(), '..', TARBALL)
}

function digestOf(paths: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of paths.flatMap(filesOf)) hash.update(file).update(readFileSync(file))
  return hash.digest('hex')
}

function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path).flatMap((name) => filesOf(join(path, name)))
}
