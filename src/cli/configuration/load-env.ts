import { existsSync } from 'node:fs'
import { CliError } from '../cli-error.ts'

const FILE = '.env'

/** Reads `.env` of the current folder into the environment. A variable that is set already keeps its value. */
export function loadEnv(): void {
  if (!existsSync(FILE)) return
  try {
    process.loadEnvFile(FILE)
  } catch (error) {
    throw new CliError('CONFIGURATION', `${FILE} cannot be read.`, { cause: error })
  }
}
