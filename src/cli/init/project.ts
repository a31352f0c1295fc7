import { existsSync, readFileSync } from 'node:fs'
import { CliError } from '../cli-error.ts'

/** What `init` sees of the project in the current folder. */
export interface Project {
  readonly packages: ReadonlySet<string>
  readonly manager: 'npm' | 'pnpm' | 'yarn' | 'bun'
  readonly testRunner: 'vitest' | 'jest' | 'node'
  has(path: string): boolean
}

const LOCK_FILES = {
  'pnpm-lock.yaml': 'pnpm',
  'yarn.lock': 'yarn',
  'bun.lock': 'bun',
  'bun.lockb': 'bun',
} as const

export function readProject(): Project {
  const packages = readPackages()
  const lockFile = Object.entries(LOCK_FILES).find(([file]) => existsSync(file))
  return {
    packages,
    manager: lockFile?.[1] ?? 'npm',
    testRunner: packages.has('vitest') ? 'vitest' : packages.has('jest') ? 'jest' : 'node',
    has: existsSync,
  }
}

/** The names of all dependencies. */
function readPackages(): ReadonlySet<string> {
  if (!existsSync('package.json')) {
    throw new CliError('USAGE', 'There is no package.json here: run this in the folder of your project, or `npm init`.')
  }
  try {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync('package.json', 'utf8'))
    return new Set(Object.keys({ ...dependencies, ...devDependencies }))
  } catch (error) {
    throw new CliError('USAGE', 'package.json cannot be read as JSON.', { cause: error })
  }
}
