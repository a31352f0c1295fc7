import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type * as Typescript from 'typescript'

/**
 * The compilers that a project installs, by their alias: the oldest that reads our declarations, those at which the
 * reading of declarations has changed, and the newest in the registry.
 */
export const COMPILERS = {
  'typescript-5-3': '~5.3.0',
  'typescript-5-7': '~5.7.0',
  'typescript-5-9': '~5.9.0',
  'typescript-6': '~6.0.0',
  'typescript-latest': 'latest',
}

/** How files are compiled: the options of `tsc`, and the files of the project that these options can read. */
interface Combination {
  readonly options: { readonly module: string; readonly moduleResolution: string; readonly ignoreDeprecations?: string }
  readonly files: readonly string[]
}

const BOTH = ['shop.mts', 'shop.cts']
const SHARED = { noEmit: true, strict: true, skipLibCheck: true, target: 'es2022', types: ['node'] }

/** What each combination of module and resolution is, that a version of the compiler allows. */
function listCombinations(version: string): Combination[] {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isFrom = (wanted: number, wantedMinor: number) => major > wanted || (major === wanted && minor >= wantedMinor)
  const nodeModes = ['node16', ...(isFrom(5, 8) ? ['node18'] : []), ...(isFrom(5, 9) ? ['node20'] : []), 'nodenext']
  return [
    ...nodeModes.map((module) => ({
      options: { module, moduleResolution: module === 'nodenext' ? module : 'node16' },
      files: BOTH,
    })),
    { options: { module: 'esnext', moduleResolution: 'bundler' }, files: ['shop.ts'] },
    ...(isFrom(5, 4) ? [{ options: { module: 'preserve', moduleResolution: 'bundler' }, files: BOTH }] : []),
    ...(isFrom(6, 0) ? [{ options: { module: 'commonjs', moduleResolution: 'bundler' }, files: ['shop.ts'] }] : []),
    ...(isFrom(7, 0)
      ? []
      : ['commonjs', 'esnext'].map((module) => ({
          options: { module, moduleResolution: 'node10', ...(isFrom(6, 0) && { ignoreDeprecations: '6.0' }) },
          files: ['shop.ts'],
        }))),
  ]
}

/**
 * Compiles the files of a project in each combination that one of its compilers allows.
 *
 * @returns what the compiler says, by combination; nothing for one without an error.
 */
export async function compile(project: string, compiler: string): Promise<{ tried: number; errors: string[] }> {
  const require = createRequire(join(project, 'package.json'))
  const { version, main } = require(`${compiler}/package.json`) as { version: string; main?: string }
  const combinations = listCombinations(version)
  const check = main ? createProgramChecker(project, require(compiler)) : createCommandChecker(project, compiler)
  const errors: string[] = []
  for (const combination of combinations) {
    const found = await check(combination)
    errors.push(...found.map((error) => `${version} ${JSON.stringify(combination.options)}: ${error}`))
  }
  return { tried: combinations.length, errors }
}

type Check = (combination: Combination) => Promise<string[]>

/** TypeScript 7 has no interface for programs, and is fast enough to be started for each combination. */
function createCommandChecker(project: string, compiler: string): Check {
  return async ({ options, files }) => {
    const command = join(project, 'node_modules', compiler, 'bin/tsc')
    const words = Object.entries({ ...SHARED, ...options }).flatMap(([name, value]) => [`--${name}`, String(value)])
    const running = promisify(execFile)(process.execPath, [command, ...words, ...files], { cwd: project })
    return running.then(
      () => [],
      (error) => [String(error.stdout)],
    )
  }
}

/** The declarations of packages are parsed once for all combinations, which takes most of the time otherwise. */
function createProgramChecker(project: string, ts: typeof Typescript): Check {
  const parsed = new Map<string, Typescript.SourceFile>()
  return async ({ options, files }) => {
    const { options: compilerOptions, errors } = ts.convertCompilerOptionsFromJson({ ...SHARED, ...options }, project)
    if (errors.length > 0) return errors.map(({ messageText }) => String(messageText))
    const host = ts.createCompilerHost(compilerOptions)
    host.getCurrentDirectory = () => project
    const { getSourceFile } = host
    host.getSourceFile = (name, how, ...rest) => {
      const format = typeof how === 'object' ? how.impliedNodeFormat : undefined
      const key = `${name} ${format}`
      const file = parsed.get(key) ?? getSourceFile(name, how, ...rest)
      if (file?.isDeclarationFile) parsed.set(key, file)
      return file
    }
    const names = files.map((file) => join(project, file))
    const program = ts.createProgram(names, compilerOptions, host)
    return ts.getPreEmitDiagnostics(program).map(({ messageText, file, start = 0 }) => {
      const line = file ? `${file.fileName}:${file.getLineAndCharacterOfPosition(start).line + 1} ` : ''
      return `${line}${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    })
  }
}
