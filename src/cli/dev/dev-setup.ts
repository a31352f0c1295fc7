import { randomBytes } from 'node:crypto'
import type { Inbox } from 'hooklayer'
import type { HooklayerConfig } from 'hooklayer/config'
import type { Emulator } from 'hooklayer/emulator'
import type { ExternalResourceKind } from 'hooklayer/responder'
import { CliError } from '../cli-error.ts'
import { CATALOG } from '../configuration/catalog.ts'
import { loadEnvFile } from '../configuration/env-file.ts'
import { type AskedUrls, findHolderSecret, toAskedUrl, toHolderVariable } from '../configuration/external-resources.ts'
import { type ConfigFlags, findConfig } from '../configuration/load-config.ts'
import { findEnvSecret, hasEnvSecret, toVariable } from '../configuration/secrets.ts'
import { namesTopic } from '../listen/wanted-topics.ts'
import { findDefaultReceiver, isThisMachine, toReceiverUrl } from '../receiver/confirm-host.ts'
import type { EmulatorFlags } from './emulator-flags.ts'
import { findFreePort, isPortOpen } from './ports.ts'

export interface DevFlags extends EmulatorFlags, ConfigFlags {
  readonly writeEnv?: string
  readonly showSecrets?: boolean
  readonly yes?: boolean
  readonly dashboard: boolean
  readonly ask?: AskedUrls
}

/** A responder that can be asked. */
interface AskedResponder {
  readonly kind: ExternalResourceKind
  readonly url: URL
  readonly secret: string
}

/** What is developed with. */
export interface DevSetup {
  /** The receiver. */
  readonly url: URL
  readonly topics: readonly string[]
  /** By topic. */
  readonly secrets: Readonly<Record<string, string>>
  /** That of the configuration. */
  readonly inbox: Inbox | undefined
  readonly asked: readonly AskedResponder[]
  /** What the webhook of a topic includes. Default: the usual. */
  includes(topic: string): readonly string[] | undefined
}

const DEFAULT_TOPIC = 'orders.place'

/** Reads the flags, the configuration and the secrets, and makes the secrets that are missing. */
export async function readSetup(flags: DevFlags, program: readonly string[]): Promise<DevSetup> {
  if (flags.writeEnv !== undefined) loadEnvFile(flags.writeEnv)
  delete process.env.HOOKLAYER_RECORDER_URL // Of an earlier run. A recorder of this process would send to it.
  // The receiver of the configuration may read the environment, and would refuse to be made without any secret.
  if (!hasEnvSecret()) process.env[toVariable(DEFAULT_TOPIC)] = createSecret()
  const config = await findConfig(flags)
  const url = toReceiverUrl(flags.forward ?? config?.forward ?? findDefaultReceiver(), '--forward')
  await choosePort(url, program)
  const topics = [...new Set(flags.topics ?? listTopics(config))]
  return {
    url,
    topics,
    secrets: Object.fromEntries(topics.map((topic) => [topic, findEnvSecret(topic) ?? createSecret()])),
    inbox: config?.inbox,
    asked: listAsked({ ...config?.ask, ...flags.ask }, url),
    includes: (topic) => listIncludes(config, topic),
  }
}

function listAsked(urls: AskedUrls, receiver: URL): AskedResponder[] {
  // A market has one secret for both of its kinds.
  const made = new Map<string, string>()
  return (Object.entries(urls) as [ExternalResourceKind, string][]).map(([kind, text]) => {
    const variable = toHolderVariable(kind)
    const secret = findHolderSecret(kind) ?? made.get(variable) ?? createSecret()
    made.set(variable, secret)
    return { kind, url: toAskedUrl(text, receiver, kind), secret }
  })
}

/** The variables that a receiver needs for an emulator. */
export function listVariables(emulator: Emulator, { secrets, asked }: DevSetup): Record<string, string> {
  const entries = Object.entries(secrets).map(([topic, secret]) => [toVariable(topic), secret])
  const ofHolders = asked.map(({ kind, secret }) => [toHolderVariable(kind), secret])
  return {
    ...Object.fromEntries([...entries, ...ofHolders]),
    CL_API_URL: emulator.url,
    CL_ORGANIZATION: emulator.organization,
    CL_CLIENT_ID: emulator.clientId,
    CL_CLIENT_SECRET: emulator.clientSecret,
  }
}

export function toAddress({ hostname, port, protocol }: URL): { readonly hostname: string; readonly port: number } {
  return { hostname, port: Number(port || (protocol === 'https:' ? 443 : 80)) }
}

function createSecret(): string {
  return randomBytes(16).toString('hex')
}

/** Port 0 is a free one. Another must be free too, if a program is started: else a former receiver would be called. */
async function choosePort(url: URL, program: readonly string[]): Promise<void> {
  if (url.port === '0' && program.length === 0) {
    throw new CliError('USAGE', '--forward: port 0 is a free port for a program, and there is none after --.')
  }
  if (url.port === '0') {
    url.port = String(await findFreePort())
    process.env.PORT = url.port // Whatever it was: the program has to listen here.
  } else if (program.length > 0 && isThisMachine(url.hostname) && (await isPortOpen(toAddress(url)))) {
    const message = `Something listens on ${url.host} already, and would get the deliveries.`
    throw new CliError('CONFIGURATION', `${message} Stop it, or name another port with --forward.`)
  }
}

/** The topics of the configuration, or of its handlers. A handler of `*` names none. */
function listTopics(config: HooklayerConfig | undefined): readonly string[] {
  const subscriptions = config?.receiver.subscriptions() ?? []
  const topics = config?.topics ?? CATALOG.filter((topic) => subscriptions.some((one) => namesTopic(one, topic)))
  return topics.length > 0 ? topics : [DEFAULT_TOPIC]
}

/** What the handlers of a topic need, which is what `webhooks apply` would include. */
function listIncludes(config: HooklayerConfig | undefined, topic: string): readonly string[] | undefined {
  const subscriptions = config?.receiver.subscriptions() ?? []
  const includes = subscriptions.filter((one) => namesTopic(one, topic)).flatMap(({ include }) => include)
  return includes.length > 0 ? [...new Set(includes)] : undefined
}
