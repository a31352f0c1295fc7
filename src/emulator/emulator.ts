import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import * as z from 'zod'
import { type ExternalResourceKind, isExternalResourceKind } from '../commerce-layer/external-resources.ts'
import type { ResourceOf } from '../commerce-layer/resources.ts'
import { resourceOf, type Topic } from '../commerce-layer/topics.ts'
import { checkSchema, mustBe, wholeNumber } from '../schema/check-schema.ts'
import type { ResourceDocument } from '../wire/document.ts'
import type { Changes } from '../wire/samples/changes.ts'
import { getUsualIncludes } from '../wire/samples/usual-includes.ts'
import { createApi } from './api/app.ts'
import { isTopic, subscribe, updateWebhook } from './api/webhooks.ts'
import { createBoundedMap } from './bounded-map.ts'
import {
  copyEventCallback,
  copyWebhook,
  type EmulatedEventCallback,
  type EmulatedWebhook,
  toEmulatedCall,
} from './emulated-records.ts'
import { checkKind, createAsker, type EmulatedAnswer } from './holders/ask.ts'
import {
  createHolder,
  type EmulatedCircuit,
  type HolderAttributes,
  type HolderRecord,
  listCircuits,
  resetCircuits,
} from './holders/holders.ts'
import { createEventFactory, explainSilence } from './new-event.ts'
import { checkEmulatorOptions, type EmulatorOptions, OPTIONS } from './options.ts'
import { readPayload } from './read-payload.ts'
import type { EventRecord, Records } from './records.ts'
import type { EndedCall } from './sender/call.ts'
import { createFaultPlanner, type Faults } from './sender/fault-plan.ts'
import { createSender } from './sender/sender.ts'

/** The options of `subscribe` of an {@link Emulator}. */
export interface SubscribeOptions {
  /** Dotted paths of the relationships that deliveries include. Default: the usual ones of the resource. */
  readonly includeResources?: readonly string[] | undefined
  /** The shared secret, 16 characters or more. Default: `secret` of the emulator, or else a random one. */
  readonly secret?: string | undefined
}

/** The options of `trigger` and `send` of an {@link Emulator}. */
export interface TriggerOptions {
  /**
   * Faults of these deliveries, in the place of the emulator's own. Several calls with the same object share one series
   * of faults: a delivery that is held back by `reorder` is overtaken by the next one of them.
   */
  readonly faults?: Faults | undefined
}

/** The options of `addHolder` of an {@link Emulator}. */
export interface HolderOptions {
  /** The shared secret, 16 characters or more. Default: `secret` of the emulator, or else a random one. */
  readonly secret?: string | undefined
  /** Dotted paths, as in `external_includes`. Default: the default ones of the kind. */
  readonly externalIncludes?: readonly string[] | undefined
  /** The price of a shipping method where there is no answer, in cents. Default: 0. */
  readonly priceAmountCents?: number | undefined
}

/** The holder of an external resource: a market, shipping method, promotion or tax calculator. */
export interface EmulatedHolder extends Readonly<Omit<HolderRecord, 'circuits'>> {
  /** Of a market: those of the line items or orders that it has asked about. The others have one of their own only. */
  readonly circuits: readonly EmulatedCircuit[]
}

/** The options of `ask` of an {@link Emulator}. */
export interface AskOptions {
  /** Changes to the sample of the kind, or a whole resource, as in `createRequest` of `hooklayer/testing`. */
  readonly resource?: object | undefined
  /** A document in the place of `resource`, sent as it is: `request` of an earlier answer. Bytes stay the same. */
  readonly document?: ResourceDocument | Uint8Array | undefined
  /** The id of the holder to ask. Default: the last one of the kind. */
  readonly holderId?: string | undefined
}

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
  const { organizationId, clientId, clientSecret, maxEventCallbacks } = settings
  const organization = { id: organizationId, slug: settings.organization }
  const records: Records = {
    webhooks: new Map(),
    eventCallbacks: createBoundedMap(maxEventCallbacks),
    events: createBoundedMap(maxEventCallbacks),
    holders: new Map(),
  }
  const createEvent = createEventFactory(records)
  function onCall(call: EndedCall): void {
    try {
      settings.onCall?.(toEmulatedCall(call))
    } catch (error) {
      settings.logger.warn(`\`onCall\` failed: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const sender = createSender({ ...settings, records, onCall })
  const { holders } = records
  const answers: EmulatedAnswer[] = []
  const asker = createAsker({ mode: settings.mode, organizationId }, settings.timeoutMs)
  const readUrl = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const api = createApi({ ...settings, organization, records, sender, trigger, url: readUrl })
  const server = createAdaptorServer({
    fetch: api.fetch,
    serverOptions: { requestTimeout: REQUEST_TIMEOUT_MS },
  }) as Server
  await listen(server, settings.port)
  const url = readUrl()
  let closed: Promise<void> | undefined

  async function trigger(
    topic: string,
    resource: object,
    options: TriggerOptions = {},
  ): Promise<EmulatedEventCallback[]> {
    return add(createEvent(requireTopic(topic), resource), options)
  }

  async function sendDocument(
    topic: string,
    document: ResourceDocument | Uint8Array,
    options: TriggerOptions = {},
  ): Promise<EmulatedEventCallback[]> {
    const { payload, resource } = readPayload('send', document)
    return add({ ...createEvent(requireTopic(topic), resource), payload }, options)
  }

  function add(event: EventRecord, { faults }: TriggerOptions): Promise<EmulatedEventCallback[]> {
    if (faults) createFaultPlanner(faults) // Checks them before anything is recorded.
    records.events.set(event.id, event)
    return send(event, faults)
  }

  async function send(event: EventRecord, faults?: Faults): Promise<EmulatedEventCallback[]> {
    const problem = explainSilence(event.name, records)
    if (problem) settings.logger.warn(problem)
    return (await sender.send(event, faults)).map(copyEventCallback)
  }

  function findHolder(id: string | undefined, kind?: ExternalResourceKind): HolderRecord {
    const found = [...holders.values()].findLast((one) => (id === undefined ? one.kind === kind : one.id === id))
    if (found) return found
    throw new TypeError(
      id === undefined ? `Nothing holds \`${kind}\`: call \`addHolder\` first.` : `There is no holder ${id}.`,
    )
  }

  return {
    url,
    organization: organization.slug,
    clientId,
    clientSecret,
    trigger: (topic, resource, options) => trigger(topic, resource ?? {}, options),
    send: sendDocument,
    sample: (topic) =>
      isExternalResourceKind(topic)
        ? asker.sample(findHolder(undefined, topic), {})
        : createEvent(requireTopic(topic), {}).resource,
    resetCircuit(id) {
      const webhook = records.webhooks.get(id)
      const holder = holders.get(id)
      if (webhook) updateWebhook(records, organization.slug, webhook, { _reset_circuit: true })
      else if (holder) resetCircuits(holder)
      else throw new TypeError('resetCircuit: there is no webhook and no holder with this id.')
    },
    subscribe(topic, callbackUrl, given = {}) {
      const { includeResources, secret = settings.secret } = checkSchema('subscribe', SUBSCRIBE, given)
      const include_resources = includeResources ?? getUsualIncludes(resourceOf(topic))
      const attributes = { topic, callback_url: callbackUrl, include_resources }
      return copyWebhook(subscribe(records, organization.slug, attributes, secret))
    },
    addHolder(kind, holderUrl, given = {}) {
      checkKind(kind)
      checkSchema('addHolder', HOLDER, { url: holderUrl, ...given })
      if (holders.size >= MAX_HOLDERS) throw new TypeError(`The emulator keeps up to ${MAX_HOLDERS} holders.`)
      const attributes: HolderAttributes = { ...given, secret: given.secret ?? settings.secret }
      const holder = createHolder(kind, holderUrl, attributes)
      holders.set(holder.id, holder)
      return copyHolder(holder)
    },
    async ask(kind, { resource = {}, document, holderId } = {}) {
      checkKind(kind)
      const holder = findHolder(holderId, kind)
      const question = document ? readPayload('ask', document).payload : asker.write(holder, resource)
      const answer = await asker.ask(holder, question)
      answers.push(answer)
      if (answers.length > maxEventCallbacks) answers.shift()
      return answer
    },
    get holders() {
      return [...holders.values()].map(copyHolder)
    },
    get answers() {
      return [...answers]
    },
    async repeat() {
      const last = [...records.events.values()].at(-1)
      return last ? send(last) : []
    },
    setFaults: (faults) => sender.setFaults(faults),
    get webhooks() {
      return [...records.webhooks.values()].map(copyWebhook)
    },
    get eventCallbacks() {
      return [...records.eventCallbacks.values()].map(copyEventCallback)
    },
    settled: () => sender.settled(),
    close() {
      asker.close()
      closed ??= Promise.all([sender.close(), stop(server)]).then(() => {})
      return closed
    },
  }
}

function requireTopic(topic: string): string {
  if (!isTopic(topic)) throw new TypeError(`\`${topic}\` is not a topic of Commerce Layer.`)
  return topic
}

/** Milliseconds in which a request must have come. Its body is small, and its sender is on this machine. */
const REQUEST_TIMEOUT_MS = 30_000

const SUBSCRIBE = z.strictObject({
  includeResources: z.array(z.string(), mustBe('a list of paths')).optional(),
  secret: OPTIONS.shape.secret,
})

/** An assumption, which bounds the memory. */
const MAX_HOLDERS = 1000

const HOLDER = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'must be an HTTP or HTTPS URL' }),
  secret: OPTIONS.shape.secret,
  externalIncludes: z.array(z.string(), mustBe('a list of paths')).optional(),
  priceAmountCents: wholeNumber(0).optional(),
})

function copyHolder(record: HolderRecord): EmulatedHolder {
  const { circuits, ...holder } = record
  return { ...structuredClone(holder), circuits: listCircuits(record) }
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause
    throw new Error(`Port ${port} of 127.0.0.1 is in use. Choose another port, or leave it out to use a free one.`, {
      cause,
    })
  }
}

async function stop(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
