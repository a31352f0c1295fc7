import { execFile } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A project outside of the repository, with the packed package and the examples in it. */
export interface Shop {
  /** The copy of an example. */
  folderOf(example: string): string
  /** A further copy of it, with files of its own. */
  copyOf(example: string): string
  close(): void
}

/**
 * Builds and packs the package, and unpacks the tarball beside hard links to the repository's packages: what `npm install`
 * in a workspace of all examples would leave, without the network. The repository's own `dist` is neither read nor written.
 */
export async function openShop(): Promise<Shop> {
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-shop-'))
  const close = () => rmSync(folder, { recursive: true })
  try {
    await fill(folder)
  } catch (error) {
    close()
    throw error
  }
  const folderOf = (example: string) => join(folder, example)
  let copies = 0
  return {
    folderOf,
    copyOf(example) {
      copies += 1
      const copy = folderOf(`${example}-${copies}`)
      cpSync(folderOf(example), copy, { recursive: true })
      return copy
    },
    close,
  }
}

async function fill(folder: string): Promise<void> {
  const packages = join(folder, 'node_modules')
  linkFolder('node_modules', packages)
  mkdirSync(join(packages, 'hooklayer'))
  const tarball = await pack(join(folder, 'package'))
  await run('tar', ['-xzf', tarball, '-C', join(packages, 'hooklayer'), '--strip-components=1'])
  cpSync('examples', folder, { recursive: true, filter: (path) => !BUILT.test(path) })
  // By its lock file Next knows the root of a workspace.
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, workspaces: ['*'] }))
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages: {} }))
}

/** What is left of trying an example out. */
const BUILT = /\/(node_modules|\.next|\.wrangler|next-env\.d\.ts)$/

const PACKED = [
  'src',
  'package.json',
  'entries.ts',
  'tsup.config.ts',
  'declarations.ts',
  'tsconfig.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
]

async function pack(folder: string): Promise<string> {
  for (const name of PACKED) cpSync(name, join(folder, name), { recursive: true })
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  await run('npm', ['run', 'build'], { cwd: folder })
  const { stdout } = await run('npm', ['pack', '--json'], { cwd: folder })
  const [{ filename }] = JSON.parse(stdout)
  return join(folder, filename)
}

/** As `cp -al`: Turbopack refuses symbolic links that leave the project, and copies would take a gigabyte. */
function linkFolder(from: string, to: string): void {
  mkdirSync(to)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) linkFolder(source, target)
    else if (entry.isFile()) linkFile(source, target)
    else cpSync(source, target, { verbatimSymlinks: true })
  }
}

function linkFile(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch {
    copyFileSync(from, to) // another file system
  }
}
