import type { HooklayerConfig } from 'hooklayer/config'
import { createManagement, type Management } from 'hooklayer/management'
import { CliError } from '../cli-error.ts'
import { readCredentials } from './load-config.ts'

/** Makes a client of Commerce Layer's API with the credentials of the configuration, or else of the environment. */
export function connectApi(config: HooklayerConfig | undefined): Management {
  const credentials = readCredentials(config)
  try {
    return createManagement(credentials)
  } catch (error) {
    if (error instanceof TypeError) throw new CliError('CONFIGURATION', error.message, { cause: error })
    throw error
  }
}
