import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import { secretsFromEnv } from 'hooklayer'
import { CliError } from '../cli-error.ts'
import { readStdin } from '../terminal/read-input.ts'
import { CATALOG } from './catalog.ts'
import { isHolderVariable } from './external-resources.ts'

export interface SecretFlags {
  readonly secret?: string
  readonly secretEnv?: string
}

/** The flags of a command that needs a shared secret. {@link readSecrets} reads them. */
export function addSecretOptions(command: Command): Command {
  return command
    .option('--secret <secret>', 'the shared secret of the webhook; - reads it from stdin')
    .option('--secret-env <name>', 'the environment variable that holds it; default: CL_SECRET_ORDERS__PLACE and so on')
}

/**
 * Reads the shared secrets of a topic: from the flags, or else from the variable of the topic. The variable may hold
 * several.
 */
export async function readSecrets(
  topic: string,
  { secret, secretEnv }: SecretFlags,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (secret !== undefined && secretEnv !== undefined) {
    throw new CliError('USAGE', 'Give --secret or --secret-env, and not both.')
  }
  if (secret === '') throw new CliError('USAGE', '--secret is empty.')
  if (secret === '-') return [await readSecretFromStdin(signal)]
  if (secret !== undefined) return [secret]
  if (secretEnv !== undefined) return readVariable(secretEnv)
  const secrets = listEnvSecrets()[topic]
  if (secrets) return secrets
  throw new CliError('USAGE', `There is no secret: pass --secret or --secret-env, or set ${toVariable(topic)}.`)
}

/** The name of the variable that holds the secret of a topic. */
export function toVariable(topic: string): string {
  return `CL_SECRET_${topic.toUpperCase().replace('.', '__')}`
}

/** Whether the environment has the secret of any topic. */
export function hasEnvSecret(): boolean {
  const isOfTopic = (name: string) => name.startsWith('CL_SECRET_') && !isHolderVariable(name)
  return Object.entries(process.env).some(([name, value]) => isOfTopic(name) && value)
}

/** The secret of a topic in the environment, if there is one: the first where there are several. */
export function findEnvSecret(topic: string): string | undefined {
  return listEnvSecrets()[topic]?.[0]
}

/**
 * Before its webhooks are made, a receiver has no secrets, and `secretsFromEnv` of the configuration would throw. A
 * command that neither receives nor signs can do without: this sets secrets that no webhook has.
 */
export function permitNoSecrets(): void {
  if (hasEnvSecret()) return
  for (const topic of CATALOG) process.env[toVariable(topic)] = randomBytes(16).toString('hex')
}

/** The secrets of the other topics in the environment, as far as there are any. */
export function listOtherSecrets(topic: string): string[] {
  const others = Object.entries(listEnvSecrets()).filter(([other]) => other !== topic)
  return others.flatMap(([, secrets]) => secrets)
}

/** The flag with which secrets are printed. {@link maskSecret} obeys it. */
export function addShowSecretsOption(command: Command): Command {
  return command.option('--show-secrets', 'prints secrets, which are masked otherwise')
}

/** A secret as it is printed. Nothing of it is shown, not even its length, unless that was asked for. */
export function maskSecret(secret: string, { showSecrets = false }: { readonly showSecrets?: boolean }): string {
  return showSecrets ? secret : '********'
}

async function readSecretFromStdin(signal: AbortSignal): Promise<string> {
  const secret = new TextDecoder().decode(await readStdin('--secret-env', signal)).replace(/\r?\n$/, '')
  if (secret === '') throw new CliError('USAGE', 'There is no secret on stdin.')
  return secret
}

function readVariable(name: string): string[] {
  const value = process.env[name]
  if (!value) throw new CliError('CONFIGURATION', `--secret-env: the variable ${name} is not set.`)
  return value.split(',')
}

function listEnvSecrets(): Readonly<Record<string, readonly string[]>> {
  if (!hasEnvSecret()) return {}
  try {
    return secretsFromEnv()
  } catch (error) {
    throw new CliError('CONFIGURATION', error instanceof Error ? error.message : String(error), { cause: error })
  }
}
