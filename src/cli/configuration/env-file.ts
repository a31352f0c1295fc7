import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { CliError } from '../cli-error.ts'

/** The first line of a file that may be replaced. */
const HEADER = '# Written by `hooklayer dev`, which replaces this file. Its secrets are of this machine only.'

/**
 * Reads the variables of a file that was written by {@link writeEnvFile}, so that secrets stay the same. A variable
 * that is set already keeps its value. A file of somebody else is refused, because it will be replaced.
 */
export function loadEnvFile(file: string): void {
  if (!existsSync(file)) return
  if (!isReplaceable(readFileSync(file, 'utf8'))) {
    throw new CliError(
      'USAGE',
      `--write-env: ${file} was not written by this command. Name a file that may be replaced.`,
    )
  }
  process.loadEnvFile(file)
}

/** Whether the text of a file is what {@link writeEnvFile} has written. */
export function isReplaceable(text: string): boolean {
  return text.startsWith(HEADER)
}

/** Writes variables to a file that only its owner can read. */
export function writeEnvFile(file: string, variables: Readonly<Record<string, string>>): void {
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  writeFileSync(file, `${[HEADER, ...lines].join('\n')}\n`, { mode: 0o600 })
}
