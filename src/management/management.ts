import { z } from 'zod'
import type { Receiver } from '../index.ts'
import type { RequestOptions } from './client/abort.ts'
import { createClient } from './client/client.ts'
import { createTokens, fixedToken } from './client/tokens.ts'
import { createTransport } from './client/transport.ts'
import { type RecoverOptions, recover } from './recover/recover.ts'
import type { Recovery } from './recover/recovery.ts'
import { type Api, createApi } from './resources/api.ts'
import { checkArguments, text, url, wholeNumber } from './resources/arguments.ts'
import { health, type WebhookHealth } from './resources/health.ts'
import { type ApplyOptions, apply } from './subscribe/apply.ts'
import { type Plan, type PlanOptions, plan } from './subscribe/plan.ts'

interface ConnectionOptions {
  /** The organization's slug, as in `https://{organization}.commercelayer.io`. */
  readonly organization: string
  /** Where the API is, if not at Commerce Layer's own hosts: an emulator's `url`. https, or http on a loopback host. */
  readonly url?: string | undefined
  /** Milliseconds that a request may take; default 10,000. */
  readonly timeoutMs?: number | undefined
  /** How often a request is repeated that failed for a passing reason; default 3, at most 10. */
  readonly retries?: number | undefined
}

/** The credentials of an integration: tokens are gotten and renewed by `@commercelayer/js-auth`, which is to be installed for it. */
export interface CredentialsOptions extends ConnectionOptions {
  readonly clientId: string
  readonly clientSecret: string
}

/** A token that you get and renew. */
export interface AccessTokenOptions extends ConnectionOptions {
  readonly accessToken: string
}

export type ManagementOptions = CredentialsOptions | AccessTokenOptions

/** Commerce Layer's API, as far as a receiver needs it. Made by {@link createManagement}. */
export interface Management extends Api {
  /** What it takes for the webhooks of a URL to be what the receiver's handlers ask for: see {@link plan}. */
  plan(receiver: Pick<Receiver, 'subscriptions'>, options: PlanOptions): Promise<Plan>
  /** Does the steps of a plan, and gives the shared secrets by topic: see {@link apply}. */
  apply(plan: Plan, options?: ApplyOptions): Promise<Record<string, string | string[]>>
  /** Runs the handlers for events whose delivery failed: see {@link recover}. */
  recover(receiver: Pick<Receiver, 'redeliver' | 'subscriptions'>, options: RecoverOptions): Promise<Recovery>
  /** How all webhooks are doing: circuits, failures in a row, and the share of the last hour's calls that failed. */
  health(options?: RequestOptions): Promise<WebhookHealth[]>
}

const CONNECTION = {
  organization: text.regex(/^[a-z\d](-?[a-z\d])*$/i, 'is not a slug such as my-brand'),
  url: url.optional(),
  timeoutMs: wholeNumber(1, 600_000).default(10_000),
  retries: wholeNumber(0, 10).default(3),
}

const WITH_CREDENTIALS = z.strictObject({ ...CONNECTION, clientId: text, clientSecret: text })

const WITH_TOKEN = z.strictObject({ ...CONNECTION, accessToken: text })

/**
 * Makes a client of Commerce Layer's API on top of its SDK: `createManagement({ organization, clientId, clientSecret })`, or with an
 * `accessToken`. Nothing is asked before the first call.
 *
 * A token is kept until shortly before it expires, and gotten anew when it is refused. Requests keep within the rate limit, waiting
 * for up to two minutes, and are repeated with growing pauses after an answer of 5xx, a time-out or a broken connection; creating a
 * webhook and triggering an event only where nothing can have happened. All calls take a `signal`, and throw its reason when it is
 * aborted, a TypeError for wrong arguments, and a ManagementError for everything else.
 *
 * @throws TypeError if an option is missing, unknown or out of range.
 */
export function createManagement(options: ManagementOptions): Management {
  const { organization, tokens, ...connection } = checkConnection(options)
  const client = createClient({ organization, tokens, transport: createTransport(connection) })
  const api = createApi(client)
  return {
    ...api,
    plan: (receiver, options) => plan(api, receiver, options),
    apply: (plan, options) => apply(api, plan, options),
    recover: (receiver, options) => recover(api, receiver, options),
    health: (options) => health(client, options),
  }
}

function checkConnection(options: ManagementOptions) {
  if (Object.hasOwn(Object(options), 'accessToken')) {
    const { accessToken, ...connection } = checkArguments('createManagement', WITH_TOKEN, options)
    return { ...connection, tokens: fixedToken(accessToken) }
  }
  const { clientId, clientSecret, ...connection } = checkArguments('createManagement', WITH_CREDENTIALS, options)
  // Tokens have a rate limit of their own.
  return { ...connection, tokens: createTokens({ clientId, clientSecret }, createTransport(connection)) }
}
