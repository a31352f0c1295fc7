import { z } from 'zod'
import type { ExternalResourceKind } from '../commerce-layer/external-resources.ts'
import type { Receiver, SecretsLookUp } from '../index.ts'
import { callback, checkSchema, mustBe, text, wholeNumber } from '../schema/check-schema.ts'
import type { RequestOptions } from './client/abort.ts'
import { createClient } from './client/client.ts'
import {
  type AccessTokenFunction,
  createTokens,
  fixedToken,
  MAX_TOKEN_ANSWER_BYTES,
  suppliedTokens,
} from './client/tokens.ts'
import { createTransport } from './client/transport.ts'
import { type RecoverOptions, recoverEvents } from './recover/recover.ts'
import type { Recovery } from './recover/recovery.ts'
import { type Api, createApi } from './resources/api.ts'
import { url } from './resources/arguments.ts'
import { checkHealth, type WebhookHealth } from './resources/health.ts'
import { type ApplyOptions, applyPlan } from './subscribe/apply.ts'
import { createHolderSecret, type HolderSecretLookUp, type HolderSecretOptions } from './subscribe/holder-secret.ts'
import { createPlan, type Plan, type PlanOptions } from './subscribe/plan.ts'
import { createSecretsLookUp, type SecretsOptions } from './subscribe/secrets-from.ts'

interface ConnectionOptions {
  /** The organization's slug, as in `https://{organization}.commercelayer.io`. */
  readonly organization: string
  /** Where the API is, if not at Commerce Layer's own hosts: an emulator's `url`. https, or http on a loopback host. */
  readonly url?: string | undefined
  /** Milliseconds until a request times out, 1 to 600,000; default 10,000. */
  readonly timeoutMs?: number | undefined
  /** How often a request is retried after a temporary failure, 0 to 10; default 3. */
  readonly retries?: number | undefined
  /**
   * The most bytes that an answer may have, unpacked, 65,536 to 536,870,912; default 33,554,432 (32 MiB). A page of 25
   * event callbacks holds 25 payloads.
   */
  readonly maxResponseBytes?: number | undefined
}

/** The credentials of an application of the kind integration. Tokens are requested and renewed with them. */
export interface CredentialsOptions extends ConnectionOptions {
  readonly clientId: string
  readonly clientSecret: string
}

/** An access token that you get and renew yourself, or a function that does. */
export interface AccessTokenOptions extends ConnectionOptions {
  /**
   * With a token, the calls fail once it has expired. A function is called before each request, and once more with the
   * token that the API has refused.
   */
  readonly accessToken: string | AccessTokenFunction
}

export type ManagementOptions = CredentialsOptions | AccessTokenOptions

/** The parts of Commerce Layer's API that a receiver needs. Made by {@link createManagement}. */
export interface Management extends Api {
  /**
   * Compares the topics that have handlers with the webhooks that call `callbackUrl`. It changes nothing.
   *
   * Each topic that a handler names needs a webhook. `orders.*` names all topics of orders in the catalog; `*` names
   * none. The webhook includes what all handlers of the topic include; a `*.destroy` includes nothing.
   *
   * Webhooks that hooklayer created (`reference_origin` is `hooklayer`) are changed to exactly that. They are deleted
   * when no handler names their topic any more, or when another webhook serves it. Webhooks that somebody else created
   * are used: missing includes are added, and they are enabled if their topic has no other webhook. They are never
   * deleted, and nothing is taken from them. Webhooks of other URLs are ignored.
   *
   * @throws TypeError if `callbackUrl` is not usable; ManagementError if the webhooks cannot be read.
   * @example
   * const plan = await management.plan(receiver, { callbackUrl: 'https://shop.example/webhooks' })
   * console.log(describePlan(plan))
   */
  plan(receiver: Pick<Receiver, 'subscriptions'>, options: PlanOptions): Promise<Plan>
  /**
   * Does the steps of a plan one after the other, deletions last.
   *
   * A plan may be applied twice: what was created or deleted meanwhile is neither created nor deleted again. Webhooks
   * that hooklayer did not create are not deleted, whatever the plan says.
   *
   * @returns the shared secrets of all webhooks of the URL by topic, as `createReceiver` takes them. A topic with
   * several webhooks has a list.
   * @throws TypeError if the plan or an option is not usable; ManagementError if the webhooks cannot be read;
   * ApplyError at the first step that fails; the signal's reason when it is aborted. Whether the current step was done
   * is then unknown.
   * @example
   * const secrets = await management.apply(plan)
   */
  apply(plan: Plan, options?: ApplyOptions): Promise<Record<string, string | string[]>>
  /**
   * Creates the `secrets` of a receiver: a look-up of the shared secrets of the webhooks that call `callbackUrl`, by
   * topic.
   *
   * The first delivery has them read, and they are kept in memory. They are read again in two cases:
   * - A signature does not match, or a topic has no webhook; at most once a minute. So the first deliveries of a
   *   webhook that was created or replaced are verified.
   * - `refreshMs` have passed. The delivery does not wait for this read: the known secrets are used until it succeeds.
   *   So a slow or failing API costs no delivery, and a secret that was withdrawn stays valid until then.
   *
   * A warning is logged when a read fails and the known secrets stay in use. The next one comes only after a read has
   * succeeded.
   *
   * Deliveries that need the same read share it. As long as no read has succeeded, a delivery whose read fails is
   * answered 503 `STORE_UNAVAILABLE`, and for one second so is every other; then the next delivery tries again.
   *
   * @throws TypeError if an option is not usable.
   * @example
   * const receiver = createReceiver({ secrets: management.secrets({ callbackUrl }) })
   */
  secrets(options: SecretsOptions): SecretsLookUp
  /**
   * Creates the `secret` of a responder: a look-up of the shared secrets of the holders that ask it, by its URL. For
   * `prices` and `order-validation` these are markets, for `shipping-cost` shipping methods, for `promotion` external
   * promotions and for `tax` external tax calculators. Where several ask one URL, each request costs an HMAC for each.
   *
   * They are read, kept and read again as those of `secrets`: with the first request, after a mismatch at most once a
   * minute, and after `refreshMs`. All holders of the type are read, 25 in a request.
   *
   * @throws TypeError if the kind is unknown, or an option is not usable.
   * @example
   * const secret = management.holderSecret('tax', { url: 'https://shop.example/taxes' })
   * const taxes = createResponder('tax', { secret }, () => ({ tax_rate: 0.22 }))
   */
  holderSecret(kind: ExternalResourceKind, options: HolderSecretOptions): HolderSecretLookUp
  /**
   * Runs the handlers for events whose delivery failed: their call was answered with anything but 2xx, or got no answer
   * within a minute.
   *
   * Each event is run once, however often it was sent. Events run one after the other, in the order of their first
   * failed calls, through `receiver.redeliver` and with the payload that the API has stored. No signature is made and
   * no request is sent to the receiver. Events that the same URL has acknowledged are left out, and so are topics
   * without a handler. If a handler fails again, the recovery continues with the next event.
   *
   * An event's handlers are those of its own topic, also if its webhook was given another one since. A webhook that was
   * changed does not tell the topic any more. Then the events of the handled topics are read, up to an hour before
   * `since`, to find the one that the call was made for. If it is not found, the call counts as `unhandled`.
   *
   * What to know before:
   * - If several endpoints of the organization subscribe to the same topics, set `callbackUrl`. Otherwise events that
   *   failed at another endpoint are handled here too.
   * - The receiver's inbox is not used: the handlers run at once, so that the result of each event is known.
   * - An event may be handled twice without an idempotency store: Commerce Layer may retry it meanwhile, or an inbox
   *   may have stored it although its call failed. With a store, an event that is being handled elsewhere fails as
   *   `IN_PROGRESS`; the next recovery shows its result.
   * - Events that happened while a circuit was open were never sent, so there is no call to recover them from.
   *
   * When the signal is aborted, the recovery stops after the current event and resolves. Pass its `cursor` as `after`
   * to continue: recovered events are not run again, failed ones are. So the cursor of a complete recovery repeats its
   * failures. A continued recovery reads the earlier calls once more. A dry run returns the cursor that it was given.
   *
   * Memory: three pages of calls, and some 60 bytes for each event that was delivered or failed since `since`. Where a
   * webhook was changed, also the ids of the calls of the handled topics.
   *
   * @throws TypeError if an option is not usable; RecoveryError, with the summary and the cursor, when the API fails or
   * `onResult` throws.
   * @example
   * const { recovered, failed } = await management.recover(receiver, { since: '2026-11-20T14:00:00Z', callbackUrl })
   */
  recover(receiver: Pick<Receiver, 'redeliver' | 'subscriptions'>, options: RecoverOptions): Promise<Recovery>
  /**
   * Reads the state of all webhooks, the oldest first: circuit, consecutive failures, and the share of the calls of the
   * last hour that failed. The API counts the calls, with one to three requests for each webhook; no call is listed.
   *
   * @throws TypeError if an option is not usable; ManagementError.
   * @example
   * const open = (await management.health()).filter(({ circuit }) => circuit === 'open')
   */
  health(options?: RequestOptions): Promise<WebhookHealth[]>
}

const CONNECTION = {
  organization: text.regex(/^[a-z\d](-?[a-z\d])*$/i, 'must be a slug such as my-brand'),
  url: url.optional(),
  timeoutMs: wholeNumber(1, 600_000).default(10_000),
  retries: wholeNumber(0, 10).default(3),
  maxResponseBytes: wholeNumber(65_536, 536_870_912).default(33_554_432),
}

const WITH_CREDENTIALS = z.strictObject({ ...CONNECTION, clientId: text, clientSecret: text })

const WITH_TOKEN = z.strictObject({
  ...CONNECTION,
  accessToken: z.union([text, callback<AccessTokenFunction>()], mustBe('a string or a function')),
})

/**
 * Creates a client of Commerce Layer's API, on top of its SDK. Nothing is requested before the first call.
 *
 * It takes `clientId` and `clientSecret` of an integration, or an `accessToken`. With credentials, a token is kept until
 * shortly before it expires, and replaced when the API refuses it. With a function, several processes can share a token.
 *
 * Requests keep within the rate limit and wait for it for up to two minutes. After an answer of 5xx, a timeout or a
 * lost connection they are retried with growing pauses. Creating a webhook and triggering an event are retried only
 * where they cannot have had an effect.
 *
 * Calls throw a TypeError for wrong arguments, and a ManagementError for other failures. Those that take a `signal`
 * throw its reason when it is aborted; only `recover` resolves.
 *
 * @throws TypeError if an option is missing, unknown or out of range.
 * @example
 * const management = createManagement({ organization: 'my-shop', clientId, clientSecret })
 */
export function createManagement(options: ManagementOptions): Management {
  const { organization, tokens, ...connection } = checkConnection(options)
  const client = createClient({ organization, tokens, transport: createTransport(connection) })
  const api = createApi(client)
  return {
    ...api,
    plan: (receiver, options) => createPlan(api, receiver, options),
    apply: (plan, options) => applyPlan(api, plan, options),
    secrets: (options) => createSecretsLookUp(api, options),
    holderSecret: (kind, options) => createHolderSecret(api, kind, options),
    recover: (receiver, options) => recoverEvents(api, receiver, options),
    health: (options) => checkHealth(client, api.webhooks, options),
  }
}

function checkConnection(options: ManagementOptions) {
  const { accessToken, clientId } = Object(options)
  // A token from a variable that is not set is missing, unless there are credentials.
  if (accessToken !== undefined || (clientId === undefined && Object.hasOwn(Object(options), 'accessToken'))) {
    const { accessToken: token, ...connection } = checkSchema('createManagement', WITH_TOKEN, options)
    const tokens = typeof token === 'string' ? fixedToken(token) : suppliedTokens(token, connection.timeoutMs)
    return { ...connection, tokens }
  }
  const { clientSecret, clientId: id, ...connection } = checkSchema('createManagement', WITH_CREDENTIALS, options)
  // Tokens have a rate limit of their own.
  const transport = createTransport({ ...connection, maxResponseBytes: MAX_TOKEN_ANSWER_BYTES })
  return { ...connection, tokens: createTokens({ clientId: id, clientSecret }, transport) }
}
