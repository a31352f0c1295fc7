import { existsSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { installFixture } from '../fixtures/install.ts'
import { itUnless } from '../unless.ts'
import { codeOf, EXAMPLES } from './sources.ts'

const jsonOf = (file: string) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {})
const root = jsonOf('package.json')
const FIXTURES = ['test/fixtures/next', 'test/fixtures/frameworks', 'test/fixtures/bun']
const noNext = await installFixture('next')
const noFrameworks = await installFixture('frameworks')

/** What a compiler needs to know, and no code imports. */
const isForTypes = (name: string) => name === 'typescript' || name.startsWith('@types/')

/** The package that a program belongs to. */
const packageOf = (program: string) => (program === 'tsc' ? 'typescript' : program)

/** What our own package, or Nest, loads where it is installed. */
const isDriver = (name: string) =>
  root.peerDependenciesMeta[name]?.optional === true || name.startsWith('@nestjs/platform-')

describe.each(EXAMPLES)('examples/%s', (example) => {
  const folder = `examples/${example}`
  const { private: isPrivate, scripts, dependencies, devDependencies } = jsonOf(`${folder}/package.json`)
  const files = codeOf(example)
  const declared: Record<string, string> = { ...dependencies, ...devDependencies }

  it('is private, can be started, and has a short README', () => {
    expect(isPrivate).toBe(true)
    expect(scripts).toHaveProperty('start')
    expect(linesOf([`${folder}/README.md`])).toBeLessThanOrEqual(12)
  })

  it('has at most 60 lines of code, besides what sends it a delivery', () => {
    expect(linesOf(files.filter((file) => !/\/(deliver|invoke)\.js$/.test(file)))).toBeLessThanOrEqual(60)
  })

  const missing = example.startsWith('next-') ? noNext : noFrameworks
  itUnless(missing)('declares what it imports or starts and what that asks for beside it, and nothing else', () => {
    const programs = Object.values<string>(scripts).map((script) => packageOf(script.replace(/ .*/, '')))
    const needed = new Set([...files.flatMap(importsOf), ...programs].filter((name) => name !== 'node'))
    for (const name of needed) for (const peer of peersOf(name)) needed.add(peer)
    const unneeded = Object.keys(declared).filter((name) => !needed.has(name) && !isForTypes(name) && !isDriver(name))
    const missing = [...needed].filter((name) => !(name in declared))
    expect({ unneeded, missing }).toEqual({ unneeded: [], missing: [] })
  })

  it('asks for the versions that are tested here', () => {
    const tested: Record<string, string> = {
      ...Object.assign({}, ...FIXTURES.map((fixture) => jsonOf(`${fixture}/package.json`).dependencies)),
      ...root.devDependencies,
      hooklayer: `^${root.version}`,
    }
    for (const [name, range] of Object.entries(declared)) expect(range, name).toBe(tested[name] ?? range)
  })
})

/** Blank ones do not count. */
function linesOf(files: readonly string[]): number {
  const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n'))
  return lines.filter((line) => line.trim() !== '').length
}

/** The packages that a file imports, without Node's own. */
function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'))
  return importedFiles
    .map(({ fileName }) => fileName)
    .filter((name) => !/^(\.|node:)/.test(name))
    .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
}

function peersOf(name: string): string[] {
  const installed = [...FIXTURES, '.'].map((folder) => jsonOf(`${folder}/node_modules/${name}/package.json`))
  const manifest = name === root.name ? root : Object.assign({}, ...installed)
  const { peerDependencies = {}, peerDependenciesMeta = {} } = manifest
  return Object.keys(peerDependencies).filter((peer) => !peerDependenciesMeta[peer]?.optional)
}
