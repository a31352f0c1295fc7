/**
 * Looks at what would be published, after `npm run build`: nothing in `dist` is named after an internal file, each
 * entry has its declarations, and each source map leads to files of the package. Exits non-zero at the first thing that
 * is wrong.
 */
import { deepEqual, ok } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { listInternals, listModules, listPrograms } from '../../entries.ts'

interface Pack {
  readonly size: number
  readonly unpackedSize: number
  readonly files: readonly { readonly path: string }[]
}

const [pack] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' }),
) as [Pack]
const files = new Set(pack.files.map(({ path }) => path))
const built = [...files].filter((path) => path.startsWith('dist/'))

const modules = Object.keys(listModules()).flatMap((name) =>
  ['js', 'cjs', 'd.ts', 'd.cts'].map((extension) => `dist/${name}.${extension}`),
)
const internals = Object.keys(listInternals()).flatMap((name) => [`dist/${name}.js`, `dist/${name}.cjs`])
const programs = Object.keys(listPrograms()).map((name) => `dist/${name}.js`)
const entries = [...modules, ...internals, ...programs].flatMap((path) => [path, `${path}.map`])
deepEqual(listMissing(entries), [], 'Entries that were not built.')

const CHUNK = /^dist\/chunk-[\w-]+\.(js|d\.ts|d\.cts)(\.map)?$/
const LICENSES = 'dist/LICENSES.txt' // of what is bundled
const unnamed = built.filter((path) => ![...entries, LICENSES].includes(path) && !CHUNK.test(path))
deepEqual(unnamed, [], 'Files of dist that are neither an entry nor a chunk without a name.')

const maps = built.filter((path) => path.endsWith('.map'))
const sources = maps.flatMap((path) => readSources(path))
deepEqual(listMissing(sources), [], 'Files that a source map names and the package lacks.')
ok(sources.length > 0)
ok(readFileSync(LICENSES, 'utf8').includes('hono'), `${LICENSES} lacks what the emulator has bundled.`)

const pages = [...files].filter((path) => path.endsWith('.md'))
const links = pages.flatMap((page) => readLinks(page))
deepEqual(listMissing(links), [], 'Files that a page of the package links to and the package lacks.')

console.log(
  `${built.length} files in dist, ${maps.length} of them maps, ${files.size} in all; ` +
    `${Math.round(pack.size / 1024)} KiB packed, ${Math.round(pack.unpackedSize / 1024)} KiB unpacked.`,
)

function listMissing(paths: readonly string[]): string[] {
  return paths.filter((path) => !files.has(path))
}

/** The files that a page links to, as paths in the package. */
function readLinks(page: string): string[] {
  const targets = readFileSync(page, 'utf8').matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)
  return Array.from(targets, ([, target = '']) => posix.join(posix.dirname(page), target))
}

/** The files that a map leads to, as paths in the package. */
function readSources(path: string): string[] {
  const map = JSON.parse(readFileSync(path, 'utf8')) as { sources: (string | null)[]; sourcesContent?: unknown }
  ok(map.sourcesContent === undefined, `${path} holds the sources, which the package has already.`)
  return map.sources.flatMap((source) => (source === null ? [] : [posix.join('dist', source)]))
}
