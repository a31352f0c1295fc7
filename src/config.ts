import { type ExternalResourceKind, isExternalResourceKind } from './commerce-layer/external-resources.ts'
import { checkMethods, checkOptions, matching, type OptionRule, wrongOption } from './core/check-options.ts'
import type { Inbox, Receiver, Topic } from './index.ts'

/** The credentials of an integration, with which commands call Commerce Layer's API. */
export interface HooklayerManagementConfig {
  /** The organization's slug, as in `https://{organization}.commercelayer.io`. Default: `CL_ORGANIZATION`. */
  readonly organization?: string | undefined
  /** Default: `CL_CLIENT_ID`. */
  readonly clientId?: string | undefined
  /** Default: `CL_CLIENT_SECRET`. */
  readonly clientSecret?: string | undefined
  /** Where the API is, if not at Commerce Layer's own hosts: an emulator's `url`. Default: `CL_API_URL`. */
  readonly url?: string | undefined
}

/** What the command `hooklayer` knows of a project. {@link defineConfig} checks it. */
export interface HooklayerConfig {
  /** The receiver with its handlers. `webhooks plan` reads what they subscribe to, and `recover` runs them. */
  readonly receiver: Receiver
  /** The inbox that `hooklayer inbox` looks into. It may be the one that the receiver was created with. */
  readonly inbox?: Inbox | undefined
  /** The public URL of the receiver, which the webhooks call. https, or http on a loopback host. */
  readonly callbackUrl?: string | undefined
  /** How to reach Commerce Layer's API. What is left out comes from the environment. */
  readonly management?: HooklayerManagementConfig | undefined
  /** The topics of `dev` and `listen`. Default: those that the receiver has handlers for. */
  readonly topics?: readonly (Topic | (string & {}))[] | undefined
  /**
   * Where `dev` and `listen` forward deliveries to. Default: `http://127.0.0.1:3000/webhooks`, or the port that `PORT`
   * names.
   */
  readonly forward?: string | undefined
  /**
   * The responders that `dev` can ask, by kind: a URL, or a path at the host of `forward`. Default: none.
   */
  readonly ask?: Readonly<Partial<Record<ExternalResourceKind, string>>> | undefined
}

const OWNER = 'defineConfig'
const TOPIC = /^[a-z_]+\.[a-z_]+$/

const url: OptionRule<string | undefined> = {
  fallback: undefined,
  expected: 'a URL with https, or with http',
  isValid: (value) => typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
}

const topics: OptionRule<readonly string[] | undefined> = {
  fallback: undefined,
  expected: 'a list of topics such as orders.place',
  isValid: (value) => Array.isArray(value) && value.every((one) => typeof one === 'string' && TOPIC.test(one)),
}

const ask: OptionRule<HooklayerConfig['ask']> = {
  fallback: undefined,
  expected: "an object such as { tax: '/taxes' }, with kinds of external resources",
  isValid: (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).every(
      ([kind, text]) => isExternalResourceKind(kind) && typeof text === 'string' && text !== '',
    ),
}

const RULES = { callbackUrl: url, topics, forward: url, ask }

const text = matching('', /\S/, 'text that is not empty')
const MANAGEMENT_RULES = { organization: text, clientId: text, clientSecret: text, url }

/**
 * Types and checks the configuration of the command `hooklayer`: the default export of `hooklayer.config.ts` in the
 * folder where the command runs. It changes nothing, and connects to nothing.
 *
 * @returns the configuration that it was given.
 * @throws TypeError for an option that is missing, unknown or of another type. It names the option.
 * @example
 * export default defineConfig({ receiver, inbox, callbackUrl: 'https://shop.example/webhooks' })
 * @see docs/cli.md
 */
export function defineConfig(config: HooklayerConfig): HooklayerConfig {
  checkOptions(OWNER, config, RULES, ['receiver', 'inbox', 'management'])
  const { receiver, inbox, management } = config
  if (receiver === undefined) throw wrongOption(OWNER, 'receiver', 'is missing')
  if (typeof Object(receiver).receive !== 'function') {
    throw wrongOption(OWNER, 'receiver', 'must be a receiver, as `createReceiver` gives it')
  }
  if (inbox !== undefined) checkMethods('inbox', inbox, ['put', 'consume', 'list'])
  if (management !== undefined) checkOptions(`${OWNER} \`management\``, management, MANAGEMENT_RULES)
  return config
}
