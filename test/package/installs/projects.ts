import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { fixtureFolder } from '../../fixtures/install.ts'
import { packTarball } from '../pack.ts'

export type Manager = 'npm' | 'pnpm' | 'yarn'

/** A project into which the packed tarball is installed. */
export interface Project {
  readonly folder: string
  /** What the package manager printed when it installed the tarball. */
  readonly output: string
}

/** How each manager adds packages. No script is run: the drivers would fetch binaries, and nothing here opens one. */
const ADD: Readonly<Record<Manager, readonly string[]>> = {
  npm: ['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'],
  pnpm: ['pnpm', 'add', '--ignore-scripts', '--prefer-offline'],
  // Its own cache has a tarball of this version from the last run, and takes that.
  yarn: ['yarn', 'add', '--ignore-scripts', '--non-interactive', '--cache-folder', '.yarn-cache'],
}

/** Creates a project with these packages, and then installs the tarball and others beside them. */
export async function createProject(
  manager: Manager,
  present: readonly string[],
  others: readonly string[],
): Promise<Project> {
  const folder = mkdtempSync(join(tmpdir(), `hooklayer-${manager}-`))
  const manifest = { name: 'shop', version: '1.0.0', private: true, license: 'MIT' }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  cpSync(await packTarball(), join(folder, 'hooklayer.tgz'))
  if (present.length > 0) await addPackages(manager, folder, present)
  return { folder, output: await addPackages(manager, folder, ['./hooklayer.tgz', ...others]) }
}

/** Installs packages into a project, and gives what the manager prints. */
export async function addPackages(manager: Manager, folder: string, packages: readonly string[]): Promise<string> {
  const [command = '', ...words] = ADD[manager]
  const PATH = [resolve(fixtureFolder('managers'), 'node_modules/.bin'), process.env.PATH].join(delimiter)
  const run = promisify(execFile)(command, [...words, ...packages], { cwd: folder, env: { ...process.env, PATH } })
  const { stdout, stderr } = await run
  return stdout + stderr
}
