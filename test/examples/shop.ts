import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { fixtureFolder } from '../fixtures/install.ts'
import { linkNextModules } from '../fixtures/next-modules.ts'
import { packPackage } from '../package/pack.ts'

/** A project outside of the repository, with the packed package and some of the examples in it. */
export interface Shop {
  /** The copy of an example. */
  folderOf(example: string): string
  /** A further copy of it, with files of its own. */
  copyOf(example: string): string
}

/**
 * A workspace of these examples as `npm install` would leave it, without the network: the unpacked tarball beside what
 * the examples declare. It is there while the tests of the file run.
 */
export function useShop(...examples: readonly string[]): Shop {
  let folder = ''
  const folderOf = (example: string) => join(folder, example)
  let copies = 0
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hooklayer-shop-'))
    // By its lock file Next knows the root of a workspace.
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, workspaces: ['*'] }))
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages: {} }))
    for (const example of examples) {
      cpSync(`examples/${example}`, folderOf(example), { recursive: true, filter: (path) => !BUILT.test(path) })
    }
    const declared = new Set(examples.flatMap(dependenciesOf))
    await (declared.has('next') ? linkNextModules(folder) : linkModules(folder, declared))
  }, 180_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return {
    folderOf,
    copyOf(example) {
      copies += 1
      const copy = folderOf(`${example}-${copies}`)
      cpSync(folderOf(example), copy, { recursive: true })
      return copy
    },
  }
}

/** What is left of trying an example out. */
const BUILT = /\/(node_modules|dist|\.nitro|\.output|\.next|\.wrangler|next-env\.d\.ts)$/

/** Where frameworks are that the repository's own packages lack. */
const FRAMEWORKS = join(fixtureFolder('frameworks'), 'node_modules')

/** What is declared comes from the repository's packages; what it depends on itself is found there, too. */
async function linkModules(folder: string, declared: ReadonlySet<string>): Promise<void> {
  const modules = join(folder, 'node_modules')
  cpSync(await packPackage(), join(modules, 'hooklayer'), { recursive: true })
  for (const name of new Set([...declared, ...namesIn('package.json', 'dependencies')])) {
    const source = [resolve('node_modules', name), join(FRAMEWORKS, name)].find((path) => existsSync(path))
    const target = join(modules, name)
    if (!source || existsSync(target)) continue
    mkdirSync(dirname(target), { recursive: true })
    symlinkSync(source, target)
  }
}

function dependenciesOf(example: string): string[] {
  return namesIn(`examples/${example}/package.json`, 'dependencies')
}

function namesIn(file: string, field: string): string[] {
  return Object.keys(JSON.parse(readFileSync(file, 'utf8'))[field])
}
