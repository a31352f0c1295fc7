import { existsSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import { defineConfig, type HooklayerConfig } from 'hooklayer/config'
import type { CredentialsOptions } from 'hooklayer/management'
import { CliError } from '../cli-error.ts'
import { printToStderr } from '../terminal/print-to-stderr.ts'

const NAMES = ['ts', 'mts', 'js', 'mjs', 'cjs'].map((extension) => `hooklayer.config.${extension}`)
const TYPESCRIPT = ['.ts', '.mts', '.cts']

export interface ConfigFlags {
  readonly config?: string
}

/** The flag of a command that reads the configuration. */
export function addConfigOption(command: Command): Command {
  return command.option('--config <file>', 'the configuration; default: hooklayer.config.ts, .mts, .js, .mjs or .cjs')
}

/** Loads and checks the configuration, and says how to begin one where there is none. */
export async function loadConfig(flags: ConfigFlags): Promise<HooklayerConfig> {
  const config = await findConfig(flags)
  if (config) return config
  throw new CliError(
    'CONFIGURATION',
    'There is no hooklayer.config.ts in this folder: name a file with --config, or write one with `defineConfig`.',
  )
}

/** The same for a command that can do without: `undefined` where there is no configuration. */
export async function findConfig({ config: named }: ConfigFlags): Promise<HooklayerConfig | undefined> {
  if (named !== undefined && !existsSync(named)) throw new CliError('USAGE', `--config: there is no file ${named}.`)
  const name = named ?? NAMES.find((one) => existsSync(one))
  if (name === undefined) return undefined
  const exported = await importDefault(name)
  if (exported === undefined) throw new CliError('CONFIGURATION', `${name} has no default export.`)
  try {
    return defineConfig(exported as HooklayerConfig)
  } catch (error) {
    throw toConfigError(`${name} is wrong`, error)
  }
}

/**
 * The credentials for `createManagement`: of the configuration, or else of the environment.
 *
 * @throws CliError that names all variables which are missing.
 */
export function readCredentials(config: HooklayerConfig | undefined): CredentialsOptions {
  const { CL_ORGANIZATION, CL_CLIENT_ID, CL_CLIENT_SECRET, CL_API_URL } = process.env
  const { organization, clientId, clientSecret, url } = config?.management ?? {}
  const given = {
    CL_ORGANIZATION: organization ?? CL_ORGANIZATION,
    CL_CLIENT_ID: clientId ?? CL_CLIENT_ID,
    CL_CLIENT_SECRET: clientSecret ?? CL_CLIENT_SECRET,
  }
  const missing = Object.entries(given).flatMap(([name, value]) => (value ? [] : [name]))
  if (missing.length > 0) {
    throw new CliError(
      'CONFIGURATION',
      `Set ${missing.join(', ')} in the environment or in .env, or \`management\` in the configuration.`,
    )
  }
  return {
    organization: String(given.CL_ORGANIZATION),
    clientId: String(given.CL_CLIENT_ID),
    clientSecret: String(given.CL_CLIENT_SECRET),
    url: url ?? (CL_API_URL || undefined),
  }
}

async function importDefault(name: string): Promise<unknown> {
  const file = resolve(name)
  printToStderr()
  try {
    const loaded = TYPESCRIPT.includes(extname(file))
      ? await importTypeScript(file)
      : await import(pathToFileURL(file).href)
    return loaded.default?.default ?? loaded.default // CommonJS that was compiled from an ES module has two.
  } catch (error) {
    throw toConfigError(`${name} cannot be loaded`, error)
  }
}

/**
 * With jiti on every version of Node, because Node's own way of running TypeScript needs extensions in imports.
 * Packages are still imported by Node itself, so that the configuration and the command share one copy of `hooklayer`.
 */
async function importTypeScript(file: string): Promise<{ readonly default?: { readonly default?: unknown } }> {
  const { createJiti } = await import('jiti/static')
  const jiti = createJiti(pathToFileURL(file).href, { fsCache: false, interopDefault: false })
  return jiti.import(file)
}

const MAX_LENGTH = 500

function toConfigError(problem: string, error: unknown): CliError {
  const message = error instanceof Error ? error.message : String(error)
  return new CliError('CONFIGURATION', `${problem}: ${message.slice(0, MAX_LENGTH)}`, { cause: error })
}
