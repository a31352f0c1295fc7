import { CommerceLayer, event_callbacks, events, webhooks } from '@commercelayer/sdk'
import type { RequestOptions } from './abort.ts'
import { unlessAborted } from './abort.ts'
import { ManagementError, toManagementError } from './errors.ts'
import { type Answer, toResponse } from './request.ts'
import type { Tokens } from './tokens.ts'
import type { Sending, Transport } from './transport.ts'

/** What goes with each call of the SDK as its last argument. */
export interface CallOptions {
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
}

interface ClientRequestOptions extends RequestOptions {
  /** Whether doing it twice is as good as doing it once. Default `true`. */
  readonly isRepeatable?: boolean
}

/** The SDK, with a token, retries, limits and errors that are ours. */
export interface Client {
  readonly webhooks: typeof webhooks
  readonly eventCallbacks: typeof event_callbacks
  readonly events: typeof events
  /**
   * Makes a call of the SDK, which must be handed `options`: `client.call((options) => client.webhooks.retrieve(id, {}, options))`.
   * It gives a resource, a list or a count.
   *
   * @throws ManagementError whatever goes wrong, except that an aborted signal's reason is thrown as it is.
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
    webhooks: webhooks.withAdapter(adapter),
    eventCallbacks: event_callbacks.withAdapter(adapter),
    events: events.withAdapter(adapter),
    async call(make, { signal, isRepeatable = true } = {}) {
      signal?.throwIfAborted()
      const fetch: CallOptions['fetch'] = async (input, init = {}) =>
        toResponse(await authorized(new URL(String(input)), init, { signal, isRepeatable }))
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

  /** With a token of ours instead of the SDK's, and with a new one if that is refused. */
  async function authorized(address: URL, init: RequestInit, sending: Sending): Promise<Answer> {
    const send = async (token: string) => {
      const headers = new Headers(init.headers)
      headers.set('Authorization', `Bearer ${token}`)
      return transport(address, { ...init, headers }, sending)
    }
    const token = await tokens.current(sending.signal)
    const answer = await send(token)
    if (answer.status !== 401 || isForbidden(answer) || !tokens.discard(token)) return answer
    return send(await tokens.current(sending.signal))
  }
}

/** `UNAUTHORIZED` says that the application may not do this: another token would not help. */
function isForbidden({ body }: Answer): boolean {
  const { errors } = Object(body)
  return Object(errors)[0]?.code === 'UNAUTHORIZED'
}

/** The SDK takes any JSON for an answer, and one without `data` for an empty list. */
function isAnswer(given: unknown): boolean {
  const { id, meta } = Object(given)
  return Array.isArray(given) ? Number.isInteger(meta.recordCount) : Number.isInteger(given) || typeof id === 'string'
}

/** Stands where the SDK insists on a token: the real one is put in its place on the way, and cannot be found in the SDK. */
const NO_TOKEN = 'none'

type Adapter = Parameters<typeof webhooks.withAdapter>[0]

/**
 * An adapter of the SDK's for us alone. `CommerceLayer()` does not only make one: it puts it behind the SDK's `orders`, `webhooks`,
 * … for the whole program, whose own client must stay. So it is called only where there is none, to learn what an adapter is.
 */
function createAdapter(organization: string): Adapter {
  const config = { organization, accessToken: NO_TOKEN }
  if (!adapterInUse()) CommerceLayer(config)
  const AdapterOfSdk = adapterInUse()?.constructor as new (options: typeof config) => Adapter
  return new AdapterOfSdk(config)
}

/** Protected in the SDK's types, and not exported otherwise. */
function adapterInUse(): Adapter | undefined {
  try {
    return Reflect.get(webhooks, 'resources')
  } catch {
    return undefined
  }
}
