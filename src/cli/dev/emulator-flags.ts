import type { Command } from 'commander'
import {
  createEmulator,
  type EmulatedWebhook,
  type Emulator,
  type EmulatorOptions,
  type Faults,
  type SubscribeOptions,
} from 'hooklayer/emulator'
import { asUsage, CliError } from '../cli-error.ts'
import { CATALOG, describeUnknownTopic } from '../configuration/catalog.ts'
import { addTopicsOption } from '../configuration/topics-option.ts'
import { toFaults } from './faults.ts'

/** What `dev` and `emulator` have in common. */
export interface EmulatorFlags {
  readonly port?: number
  readonly forward?: string
  readonly topics?: readonly string[]
  readonly faults?: Faults
  readonly speed: number
}

export function addEmulatorOptions(
  command: Command,
  defaults: { readonly port: string; readonly forward: string },
): Command {
  return addTopicsOption(command, 'the topics of the webhooks')
    .option('--forward <url>', `the receiver, which the webhooks call; default: ${defaults.forward}`)
    .option('--port <number>', `the port on 127.0.0.1; default: ${defaults.port}`, toNumber)
    .option('--faults <list>', 'faults and their probability: duplicate=0.3,reorder,delay-ms=200', toFaults)
    .option('--speed <number>', 'divides the delays between retries', toNumber, 1)
}

/** Not a number is left to the checks of the emulator, which say what is wrong. */
function toNumber(value: string): number {
  return Number(value)
}

/** Starts an emulator with the options of the flags and of the command. */
export async function startEmulator(flags: EmulatorFlags, options: EmulatorOptions): Promise<Emulator> {
  const { speed, faults, port } = flags
  if (!(speed > 0)) throw new CliError('USAGE', '`--speed` must be a number over 0.')
  try {
    const retryDelayMs = (attempt: number) => (1000 * 2 ** (attempt - 1)) / speed
    return await asUsage(() => createEmulator({ port, faults, retryDelayMs, ...options }))
  } catch (error) {
    if (!isPortInUse(error)) throw error
    throw new CliError('CONFIGURATION', (error as Error).message, { cause: error })
  }
}

/** Creates a webhook, and takes what the emulator refuses for a mistake of the command line. */
export function subscribeTopic(
  emulator: Emulator,
  topic: string,
  url: string,
  options: SubscribeOptions,
): EmulatedWebhook {
  try {
    return emulator.subscribe(topic, url, options)
  } catch (error) {
    if (!CATALOG.includes(topic)) throw new CliError('USAGE', describeUnknownTopic(topic), { cause: error })
    const message = error instanceof Error ? error.message.replace(/^subscribe: /, '') : String(error)
    throw new CliError('USAGE', `The webhook was refused: ${message} (${topic})`, { cause: error })
  }
}

export function isPortInUse(error: unknown): boolean {
  const { code, cause } = Object(error)
  return code === 'EADDRINUSE' || (cause !== undefined && isPortInUse(cause))
}
