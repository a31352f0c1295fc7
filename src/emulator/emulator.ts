import { type ExternalResourceKind, isExternalResourceKind } from '../commerce-layer/external-resources.ts'
import type { ResourceOf } from '../commerce-layer/resources.ts'
import type { Topic } from '../commerce-layer/topics.ts'
import type { ResourceDocument } from '../wire/document.ts'
import type { Changes } from '../wire/samples/changes.ts'
import { createApi } from './api/app.ts'
import { updateWebhook } from './api/webhooks.ts'
import { createBoundedMap } from './bounded-map.ts'
import {
  copyEventCallback,
  copyHolder,
  copyWebhook,
  type EmulatedEventCallback,
  type EmulatedHolder,
  type EmulatedWebhook,
  toEmulatedCall,
} from './emulated-records.ts'
import { type AskOptions, createExternalResources, type HolderOptions } from './external-resources.ts'
import type { EmulatedAnswer } from './holders/ask.ts'
import { resetCircuits } from './holders/holders.ts'
import { checkEmulatorOptions, type EmulatorOptions } from './options.ts'
import type { Records } from './records.ts'
import type { EndedCall } from './sender/call.ts'
import type { Faults } from './sender/fault-plan.ts'
import { createSender } from './sender/sender.ts'
import { startServer } from './start-server.ts'
import { createSubscribe, type SubscribeOptions } from './subscribe.ts'
import { createEventTrigger, type TriggerOptions } from './trigger-events.ts'

/** A running emulator, created by {@link createEmulator}. */
export interface Emulator {
  /** Its base URL, e.g. `http://127.0.0.1:4000`. It serves `/oauth/token` and `/api`. */
  readonly url: string
  /** The slug of the organization. */
  readonly organization: string
  /** The client id of the only application. */
  readonly clientId: string
  /** The client secret of the only application. */
  readonly clientSecret: string
  /**
   * Creates an event and calls the webhooks that subscribe to its topic. Resolves with the first call to each webhook
   * when these calls have ended. Retries go on afterwards: see `settled`.
   *
   * `resource` is the same as in `createDelivery` of `hooklayer/testing`: a whole resource in the shape of the SDK, or
   * changes to the sample of the topic. The sample has all relationships that the webhooks include.
   *
   * Each sample is a new resource at a new time: another id, and for orders another number, with the current time as
   * `updated_at`. Change these fields for a resource that was sent before. A whole resource is sent as it is.
   *
   * A warning is logged if no webhook is called.
   *
   * @throws TypeError for a topic that is not in the catalog `TOPICS`, for a resource with more than 100 levels of
   * objects and lists, and for faults that are unknown or out of range.
   *
   * @example
   * const [call] = await emulator.trigger('orders.place', { customer: { email: 'zoe@example.com' } })
   * console.log(call?.response_code, call?.response_message) // 200 OK
   */
  trigger<T extends Topic | (string & {})>(
    topic: T,
    resource?: Changes<ResourceOf<T>>,
    options?: TriggerOptions,
  ): Promise<EmulatedEventCallback[]>
  /**
   * Calls the webhooks of a topic with a document that you have, such as the body of an earlier delivery. It is signed
   * anew, with the secret of each webhook. Bytes are sent as they are, and an object is written as JSON. Resolves as
   * `trigger` does.
   *
   * A receiver takes the same content for the same event: with idempotency its handlers do not run again.
   *
   * @throws TypeError for a topic that is not in the catalog, for a document that is not JSON:API with one resource,
   * and for faults that are unknown or out of range.
   *
   * @example
   * const [call] = await emulator.send('orders.place', await readFile('order.json'))
   */
  send(
    topic: Topic | (string & {}),
    document: ResourceDocument | Uint8Array,
    options?: TriggerOptions,
  ): Promise<EmulatedEventCallback[]>
  /**
   * Makes the sample that `trigger` would send for a topic now, with all relationships that the webhooks of the topic
   * include; or the one that `ask` would send for a kind. Nothing is sent.
   *
   * @throws TypeError for a topic that is not in the catalog, and for a kind that nothing holds.
   *
   * @example
   * const order = emulator.sample('orders.place')
   */
  sample(topic: Topic | ExternalResourceKind | (string & {})): { readonly id: string; readonly type: string }
  /**
   * Closes the circuit of a webhook, or all those of a holder, and sets the failures to 0, so that it is called again.
   *
   * @throws TypeError if there is no webhook and no holder with this id.
   */
  resetCircuit(id: string): void
  /**
   * Creates a webhook without the API.
   *
   * @throws TypeError for a topic that is not in the catalog, a URL that cannot be called, and includes or a secret
   * that cannot be used.
   *
   * @example
   * const { shared_secret } = emulator.subscribe('orders.place', 'http://127.0.0.1:3000/webhooks')
   */
  subscribe(topic: Topic | (string & {}), callbackUrl: string, options?: SubscribeOptions): EmulatedWebhook
  /**
   * Creates the holder of an external resource, which calls `url`. The API can read it, and close its circuit.
   *
   * @throws TypeError for an unknown kind, a URL that cannot be called, and options that are unknown or out of range.
   *
   * @example
   * const { shared_secret } = emulator.addHolder('tax', 'http://127.0.0.1:3000/taxes')
   */
  addHolder(kind: ExternalResourceKind, url: string, options?: HolderOptions): EmulatedHolder
  /**
   * Asks the shop as Commerce Layer does, checks its answer as far as the form is documented, and says what happens
   * without one. Failures are counted: after more than 30 in a row the circuit opens, and nothing is sent.
   *
   * @throws TypeError if there is no such holder, for an `include` that is not a relationship, and for a document that
   * is not JSON:API with one resource.
   *
   * @example
   * const { outcome, data } = await emulator.ask('tax', { resource: { number: '1234' } })
   */
  ask(kind: ExternalResourceKind, options?: AskOptions): Promise<EmulatedAnswer>
  /** Copies of all holders, in the order in which they were created. */
  readonly holders: readonly EmulatedHolder[]
  /** The last answers of external resources, in the order of their ends. `maxEventCallbacks` limits their number. */
  readonly answers: readonly EmulatedAnswer[]
  /**
   * Calls the webhooks of the last event again, with the same bytes and the same signatures, as `_trigger` of the API
   * does. Resolves as `trigger` does: with an empty list if there was no event.
   */
  repeat(): Promise<EmulatedEventCallback[]>
  /**
   * Replaces the faults of the deliveries that come. `{}` ends them.
   *
   * @throws TypeError if an option is unknown or out of range.
   */
  setFaults(faults: Faults): void
  /** Copies of all webhooks, in the order in which they were created. */
  readonly webhooks: readonly EmulatedWebhook[]
  /** Copies of the last event callbacks, in the order of the calls. `maxEventCallbacks` limits their number. */
  readonly eventCallbacks: readonly EmulatedEventCallback[]
  /** Resolves when no call and no retry is pending. */
  settled(): Promise<void>
  /** Stops the server, ends all calls and cancels all retries. It may be called more than once. */
  close(): Promise<void>
}

/**
 * Starts a local Commerce Layer: its API for webhooks, event callbacks and events, and the sender that calls the
 * webhooks. It listens on 127.0.0.1 and keeps all records in memory. One URL stands for both hosts of Commerce Layer,
 * that of the organization and `auth.commercelayer.io`.
 *
 * @throws TypeError for a wrong option, `Error` if the port is in use.
 *
 * @example
 * const emulator = await createEmulator({ retryDelayMs: () => 0 })
 * const { url, organization, clientId, clientSecret } = emulator
 * const management = createManagement({ url, organization, clientId, clientSecret })
 * await management.webhooks.create({ topic: 'orders.place', callbackUrl: 'http://127.0.0.1:3000/webhooks' })
 * await emulator.trigger('orders.place')
 * await emulator.close()
 */
export async function createEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const settings = checkEmulatorOptions(options)
  const { organizationId, clientId, clientSecret, maxEventCallbacks, logger } = settings
  const organization = { id: organizationId, slug: settings.organization }
  const records: Records = {
    webhooks: new Map(),
    eventCallbacks: createBoundedMap(maxEventCallbacks),
    events: createBoundedMap(maxEventCallbacks),
    holders: new Map(),
  }
  const { webhooks, eventCallbacks, holders } = records
  function notify(name: 'onCall' | 'onAnswer', callBack: () => void): void {
    try {
      callBack()
    } catch (error) {
      logger.warn(`\`${name}\` failed: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const onCall = (call: EndedCall) => notify('onCall', () => settings.onCall?.(toEmulatedCall(call)))
  const onAnswer = (answer: EmulatedAnswer) => notify('onAnswer', () => settings.onAnswer?.(answer))
  const sender = createSender({ ...settings, records, onCall })
  const events = createEventTrigger({ records, sender, logger })
  const externalResources = createExternalResources({ ...settings, holders, maxAnswers: maxEventCallbacks, onAnswer })
  const readUrl = () => server.url
  const api = createApi({ ...settings, organization, records, sender, trigger: events.trigger, url: readUrl })
  const server = await startServer(api.fetch, settings.port)
  let closed: Promise<void> | undefined
  return {
    url: server.url,
    organization: organization.slug,
    clientId,
    clientSecret,
    trigger: (topic, resource, options) => events.trigger(topic, resource ?? {}, options),
    send: events.send,
    sample: (topic) => (isExternalResourceKind(topic) ? externalResources.sample(topic) : events.sample(topic)),
    resetCircuit(id) {
      const webhook = webhooks.get(id)
      const holder = holders.get(id)
      if (webhook) updateWebhook(records, organization.slug, webhook, { _reset_circuit: true })
      else if (holder) resetCircuits(holder)
      else throw new TypeError('resetCircuit: there is no webhook and no holder with this id.')
    },
    subscribe: createSubscribe({ records, organization: organization.slug, secret: settings.secret }),
    addHolder: externalResources.addHolder,
    ask: externalResources.ask,
    get holders() {
      return [...holders.values()].map(copyHolder)
    },
    get answers() {
      return externalResources.answers
    },
    repeat: events.repeat,
    setFaults: sender.setFaults,
    get webhooks() {
      return [...webhooks.values()].map(copyWebhook)
    },
    get eventCallbacks() {
      return [...eventCallbacks.values()].map(copyEventCallback)
    },
    settled: sender.settled,
    close() {
      externalResources.close()
      closed ??= Promise.all([sender.close(), server.close()]).then(() => {})
      return closed
    },
  }
}
