import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CONDITIONS, ENTRIES, listModules, listPrograms, PROGRAMS, toFileName, toSpecifier } from '../../entries.ts'
import tsup from '../../tsup.config.ts'
import { alias } from '../../vitest.config.ts'

const MANIFEST = JSON.parse(readFileSync('package.json', 'utf8'))
const SUBPATHS = Object.keys(ENTRIES)

describe('the list of entries', () => {
  it('names source files that exist, and no file of dist twice', () => {
    const sources = Object.values({ ...listModules(), ...listPrograms() })
    expect(sources.filter((source) => !existsSync(source))).toEqual([])
    const extra = Object.values(CONDITIONS).flatMap((conditions) => Object.values(conditions))
    const files = [...SUBPATHS.map(toFileName), ...[...extra, ...Object.values(PROGRAMS)].map(({ file }) => file)]
    expect(new Set(files).size).toBe(files.length)
  })
})

describe('package.json', () => {
  it('exports each entry as an ES module and as CommonJS, with types for both, and nothing else', () => {
    const expected = Object.fromEntries(SUBPATHS.map((subpath) => [subpath, createExport(subpath)]))
    expect(MANIFEST.exports).toEqual({ ...expected, './package.json': './package.json' })
  })

  it('puts the condition of a runtime before `import` and `require`, which would match first', () => {
    for (const subpath of Object.keys(CONDITIONS)) {
      expect(Object.keys(MANIFEST.exports[subpath])).toEqual([
        ...Object.keys(CONDITIONS[subpath] ?? {}),
        'import',
        'require',
      ])
    }
  })

  it('names the root entry for tools that do not read `exports`', () => {
    const { main, module, types } = MANIFEST
    expect({ main, module, types }).toEqual({
      main: './dist/index.cjs',
      module: './dist/index.js',
      types: './dist/index.d.ts',
    })
  })

  it('names the types of each entry for a compiler that does not read `exports` (`moduleResolution: node`)', () => {
    const expected = SUBPATHS.filter((subpath) => subpath !== '.').map((subpath) => [
      subpath.slice('./'.length),
      [`./dist/${toFileName(subpath)}.d.ts`],
    ])
    expect(MANIFEST.typesVersions).toEqual({ '*': Object.fromEntries(expected) })
  })

  it('requires no version of a peer, so that none keeps anybody from installing', () => {
    expect(new Set(Object.values(MANIFEST.peerDependencies))).toEqual(new Set(['*']))
  })

  it('installs each program', () => {
    const expected = Object.entries(PROGRAMS).map(([command, { file }]) => [command, `./dist/${file}.js`])
    expect(MANIFEST.bin).toEqual(Object.fromEntries(expected))
  })

  it('limits the size of files that are built', () => {
    const limits: readonly { path: string | string[]; import: string | Record<string, string> }[] =
      MANIFEST['size-limit']
    const files = limits.flatMap(({ path, import: names }) => [
      ...[path].flat(),
      ...(typeof names === 'string' ? [] : Object.keys(names)),
    ])
    expect(files.length).toBeGreaterThan(0)
    expect(files.filter((file) => !Object.keys(listModules()).some((name) => file === `dist/${name}.js`))).toEqual([])
  })
})

describe('the same entries', () => {
  it('are the paths of tsconfig.json', () => {
    const { compilerOptions } = JSON.parse(readFileSync('tsconfig.json', 'utf8'))
    const expected = Object.entries(ENTRIES).map(([subpath, source]) => [toSpecifier(subpath), [`./${source}`]])
    expect(compilerOptions.paths).toEqual(Object.fromEntries(expected))
  })

  it('are built by tsup, with the programs', () => {
    expect(tsup).toMatchObject({ entry: { ...listModules(), ...listPrograms() } })
  })

  it('are what tests import by their public names', () => {
    const found = SUBPATHS.map((subpath) => {
      const matches = alias.filter(({ find }) => find.test(toSpecifier(subpath)))
      return matches.map(({ replacement }) => replacement)
    })
    expect(found).toEqual(Object.values(ENTRIES).map((source) => [expect.stringMatching(new RegExp(`/${source}$`))]))
  })
})

/** The value of `exports` in package.json for an entry. */
function createExport(subpath: string): object {
  const file = toFileName(subpath)
  const conditions = Object.entries(CONDITIONS[subpath] ?? {})
  return {
    ...Object.fromEntries(conditions.map(([condition, { file }]) => [condition, pair(file, 'd.ts', 'js')])),
    import: pair(file, 'd.ts', 'js'),
    require: pair(file, 'd.cts', 'cjs'),
  }
}

function pair(file: string, declaration: string, module: string): object {
  return { types: `./dist/${file}.${declaration}`, default: `./dist/${file}.${module}` }
}
