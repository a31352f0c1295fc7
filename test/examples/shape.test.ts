import { existsSync, readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { installFixture } from '../fixtures/install.ts'
import { NEXT_PATHS } from '../fixtures/next-modules.ts'
import { itUnless } from '../unless.ts'

const jsonOf = (file: string) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {})
const root = jsonOf('package.json')
const NEXT = 'test/fixtures/next'
const noNext = await installFixture('next')

/** `demo` is part of the repository; the others are packages that could stand anywhere. */
const EXAMPLES = readdirSync('examples').filter((name) => name !== 'demo')

/** What a compiler needs to know, and no code imports. */
const isForTypes = (name: string) => name === 'typescript' || name.startsWith('@types/')

/** What our own package loads where it is installed. */
const isDriver = (name: string) => root.peerDependenciesMeta[name]?.optional === true

const BUILT = new Set(['node_modules', '.next', '.wrangler', 'next-env.d.ts'])

describe.each(EXAMPLES)('examples/%s', (example) => {
  const folder = `examples/${example}`
  const { private: isPrivate, scripts, dependencies, devDependencies } = jsonOf(`${folder}/package.json`)
  const files = filesOf(folder).filter((file) => /\.[jt]s$/.test(file))
  const declared: Record<string, string> = { ...dependencies, ...devDependencies }

  it('is private, can be started, and has a short README', () => {
    expect(isPrivate).toBe(true)
    expect(scripts).toHaveProperty('start')
    expect(linesOf([`${folder}/README.md`])).toBeLessThanOrEqual(12)
  })

  it('has at most 60 lines of code, besides what sends it a delivery', () => {
    expect(linesOf(files.filter((file) => !/\/(deliver|invoke)\.js$/.test(file)))).toBeLessThanOrEqual(60)
  })

  const missing = example.startsWith('next-') ? noNext : undefined
  itUnless(missing)('declares what it imports or starts and what that asks for beside it, and nothing else', () => {
    const programs = Object.values<string>(scripts).map((script) => script.replace(/ .*/, ''))
    const needed = new Set([...files.flatMap(importsOf), ...programs].filter((name) => name !== 'node'))
    for (const name of needed) for (const peer of peersOf(name)) needed.add(peer)
    const unneeded = Object.keys(declared).filter((name) => !needed.has(name) && !isForTypes(name) && !isDriver(name))
    const missing = [...needed].filter((name) => !(name in declared))
    expect({ unneeded, missing }).toEqual({ unneeded: [], missing: [] })
  })

  it('asks for the versions that are tested here', () => {
    const tested: Record<string, string> = {
      ...jsonOf(`${NEXT}/package.json`).dependencies,
      ...root.devDependencies,
      hooklayer: `^${root.version}`,
    }
    for (const [name, range] of Object.entries(declared)) expect(range, name).toBe(tested[name] ?? range)
  })
})

itUnless(noNext)(
  'compile, the JavaScript of the examples too',
  () => {
    const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile)
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.')
    const files = EXAMPLES.flatMap((example) => filesOf(`examples/${example}`)).filter((file) => /\.[jt]s$/.test(file))
    const program = ts.createProgram(files, {
      ...options,
      paths: { ...options.paths, ...NEXT_PATHS },
      allowJs: true,
      checkJs: true,
      exactOptionalPropertyTypes: false,
    })
    const complaints = ts.getPreEmitDiagnostics(program).map(({ messageText, file, start = 0 }) => {
      const line = file && file.getLineAndCharacterOfPosition(start).line + 1
      return `${file?.fileName}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    })
    expect(complaints).toEqual([])
  },
  120_000,
)

function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !BUILT.has(name))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`
      return entry.isDirectory() ? filesOf(path) : [path]
    })
}

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
  const { peerDependencies = {}, peerDependenciesMeta = {} } =
    name === root.name
      ? root
      : { ...jsonOf(`${NEXT}/node_modules/${name}/package.json`), ...jsonOf(`node_modules/${name}/package.json`) }
  return Object.keys(peerDependencies).filter((peer) => !peerDependenciesMeta[peer]?.optional)
}
