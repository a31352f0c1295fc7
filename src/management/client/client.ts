// As a whole: an earlier version lacks some of these names, and to import one of them would fail without a reason.
import * as sdk from '@commercelayer/sdk'
import type { RequestOptions } from './abort.ts'
import { unlessAborted } from './abort.ts'
import { ManagementError, toManagementError } from './errors.ts'
import { type Answer, toResponse } from './request.ts'
import type { Tokens } from './tokens.ts'
import type { SendOptions, Transport } from './transport.ts'

/** The last argument of each call of the SDK. */
export interface CallOptions {
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
}

interface ClientRequestOptions extends RequestOptions {
  /** Whether the request may be sent twice without harm. Default `true`. */
  readonly isRepeatable?: boolean
}

/** The SDK, with our own tokens, retries, rate limit and errors. */
export interface Client {
  readonly webhooks: typeof sdk.webhooks
  readonly eventCallbacks: typeof sdk.event_callbacks
  readonly events: typeof sdk.events
  readonly markets: typeof sdk.markets
  readonly shippingMethods: typeof sdk.shipping_methods
  readonly externalPromotions: typeof sdk.external_promotions
  readonly externalTaxCalculators: typeof sdk.external_tax_calculators
  readonly lineItems: typeof sdk.line_items
  readonly orders: typeof sdk.orders
  /**
   * Makes a call of the SDK, which must be passed `options`: `client.call((options) => client.webhooks.retrieve(id, {},
   * options))`. It resolves to a resource, a list or a count.
   *
   * @throws ManagementError for every failure; an aborted signal's reason is thrown as it is.
   */
  call<T>(make: (options: CallOptions) => Promise<T>, options?: ClientRequestOptions): Promise<T>
}

export interface ClientOptions {
  readonly organization: string
  readonly tokens: Tokens
  readonly transport: Transport
}

export function createClient({ organization, tokens, transport }: ClientOptions): Client {
  const adapter = createAdapter(organization)
  return {
    webhooks: sdk.webhooks.withAdapter(adapter),
    eventCallbacks: sdk.event_callbacks.withAdapter(adapter),
    events: sdk.events.withAdapter(adapter),
    markets: sdk.markets.withAdapter(adapter),
    shippingMethods: sdk.shipping_methods.withAdapter(adapter),
    externalPromotions: sdk.external_promotions.withAdapter(adapter),
    externalTaxCalculators: sdk.external_tax_calculators.withAdapter(adapter),
    lineItems: sdk.line_items.withAdapter(adapter),
    orders: sdk.orders.withAdapter(adapter),
    async call(make, { signal, isRepeatable = true } = {}) {
      signal?.throwIfAborted()
      const fetch: CallOptions['fetch'] = async (input, init = {}) =>
        toResponse(await sendAuthorized(new URL(String(input)), init, { signal, isRepeatable }))
      try {
        const answer = await unlessAborted(make({ fetch }), signal)
        if (isAnswer(answer)) return answer
      } catch (thrown) {
        signal?.throwIfAborted()
        throw toManagementError(thrown)
      }
      throw new ManagementError('RESPONSE_INVALID')
    },
  }

  /** Sends a request with a token of ours in place of the SDK's, and once more with a new token if that is refused. */
  async function sendAuthorized(address: URL, init: RequestInit, options: SendOptions): Promise<Answer> {
    const send = async (token: string) => {
      const headers = new Headers(init.headers)
      headers.set('Authorization', `Bearer ${token}`)
      return transport(address, { ...init, headers }, options)
    }
    const token = await tokens.get(options.signal)
    const answer = await send(token)
    if (answer.status !== 401 || isForbidden(answer) || !tokens.discard(token)) return answer
    return send(await tokens.get(options.signal))
  }
}

/** `UNAUTHORIZED` means that the application lacks the permission: another token would not help. */
function isForbidden({ body }: Answer): boolean {
  const { errors } = Object(body)
  return Object(errors)[0]?.code === 'UNAUTHORIZED'
}

/** The SDK accepts any JSON as an answer, and takes one without `data` for an empty list. */
function isAnswer(given: unknown): boolean {
  const { id, meta } = Object(given)
  return Array.isArray(given) ? Number.isInteger(meta.recordCount) : Number.isInteger(given) || typeof id === 'string'
}

/**
 * The SDK needs a token. The real one replaces this when a request is sent, so that nobody can read it from the SDK.
 */
const NO_TOKEN = 'none'

const UNSUPPORTED_SDK = 'The installed version of @commercelayer/sdk is not supported: install 7.12.1.'

type Adapter = Parameters<typeof sdk.webhooks.withAdapter>[0]

/**
 * Creates an adapter of the SDK for this client alone. `CommerceLayer()` would also put the adapter that it makes
 * behind the SDK's `orders`, `webhooks`, … for the whole program, and so replace the program's own client. So it is
 * called only where the program has no client yet, to get at the class of adapters, which the SDK does not export.
 */
function createAdapter(organization: string): Adapter {
  const config = { organization, accessToken: NO_TOKEN }
  if (typeof sdk.webhooks?.withAdapter !== 'function') throw new Error(UNSUPPORTED_SDK)
  if (!readSharedAdapter()) sdk.CommerceLayer(config)
  const SdkAdapter = readSharedAdapter()?.constructor as (new (options: typeof config) => Adapter) | undefined
  if (!SdkAdapter) throw new Error(UNSUPPORTED_SDK)
  return new SdkAdapter(config)
}

/**
 * Reads the adapter that the whole program shares. `resources` is protected in the SDK's types: it is checked with
 * 7.12.1, and a test fails when another version is installed.
 */
function readSharedAdapter(): Adapter | undefined {
  try {
    return Reflect.get(sdk.webhooks, 'resources')
  } catch {
    // The SDK throws as long as the program has no client.
    return undefined
  }
}
