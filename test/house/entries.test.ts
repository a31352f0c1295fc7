import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  CONDITIONS,
  ENTRIES,
  listInternals,
  listModules,
  listPrograms,
  PLATFORM,
  PROGRAMS,
  RECORDER_THREAD,
  toFileName,
  toSpecifier,
} from '../../entries.ts'
import tsup from '../../tsup.config.ts'
import { alias } from '../../vitest.config.ts'

interface SizeLimit {
  readonly path: string | string[]
  readonly import: string | Record<string, string>
}

const MANIFEST = JSON.parse(readFileSync('package.json', 'utf8'))
const SUBPATHS = Object.keys(ENTRIES)

describe('the list of entries', () => {
  it('names source files that exist, and no file of dist twice', () => {
    const sources = Object.values({ ...listModules(), ...listPrograms(), ...listInternals() })
    expect(sources.filter((source) => !existsSync(source))).toEqual([])
    const conditional = Object.values(CONDITIONS).flatMap((conditions) => Object.values(conditions))
    const extra = [...conditional, ...Object.values(PROGRAMS), PLATFORM.usual, PLATFORM.edge, RECORDER_THREAD]
    const files = [...SUBPATHS.map(toFileName), ...extra.map(({ file }) => file)]
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

  it('gives the module of the platform by the conditions of the edge, and else the one that finds out', () => {
    const { specifier, usual, edge, edgeConditions } = PLATFORM
    const formats = ({ file }: { file: string }) => ({ import: `./dist/${file}.js`, require: `./dist/${file}.cjs` })
    const byCondition = edgeConditions.map((condition) => [condition, formats(edge)])
    expect(Object.entries(MANIFEST.imports[specifier])).toEqual([...byCondition, ...Object.entries(formats(usual))])
    expect(Object.keys(MANIFEST.imports)).toEqual([specifier])
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

  it('limits the size of files that are built', async () => {
    const { default: limits }: { default: readonly SizeLimit[] } = await import(resolve('size-limit.config.js'))
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

  it('are built by tsup, with the programs and the module of the platform', () => {
    const entries = [tsup].flat().map((config) => (typeof config === 'function' ? undefined : config.entry))
    expect(entries).toEqual([{ ...listModules(), ...listInternals() }, listPrograms()])
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
