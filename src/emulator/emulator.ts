import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ResourceOf } from '../commerce-layer/resources.ts'
import type { Topic } from '../commerce-layer/topics.ts'
import type { Changes } from '../wire/samples/changes.ts'
import { isTopic } from './api/webhooks.ts'
import { createBoundedMap } from './bounded-map.ts'
import { createEventFactory, explainSilence } from './new-event.ts'
import { checkEmulatorOptions, type EmulatorOptions } from './options.ts'
import type { EventCallbackRecord, Records, WebhookRecord } from './records.ts'
import { createSender } from './sender/sender.ts'

/** A webhook with the attributes of the API, including `shared_secret`. */
export type EmulatedWebhook = Readonly<WebhookRecord>

/** An event callback with the attributes of the API, including its webhook. */
export type EmulatedEventCallback = Readonly<Omit<EventCallbackRecord, 'event'>>

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
   * @throws TypeError for a topic that is not in the catalog `TOPICS`, and for a resource with more than 100 levels of
   * objects and lists.
   *
   * @example
   * const [call] = await emulator.trigger('orders.place', { customer: { email: 'zoe@example.com' } })
   * console.log(call?.response_code, call?.response_message) // 200 OK
   */
  trigger<T extends Topic | (string & {})>(
    topic: T,
    resource?: Changes<ResourceOf<T>>,
  ): Promise<EmulatedEventCallback[]>
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
 * It needs the packages `hono` and `@hono/node-server`.
 *
 * @throws TypeError for a wrong option, `Error` if the port is in use or a package is missing.
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
  }
  const createEvent = createEventFactory(records)
  const sender = createSender({ ...settings, records })
  const { createApi, createAdaptorServer } = await loadServer()
  const readUrl = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const api = createApi({ ...settings, organization, records, sender, url: readUrl })
  const server = createAdaptorServer({
    fetch: api.fetch,
    serverOptions: { requestTimeout: REQUEST_TIMEOUT_MS },
  }) as Server
  await listen(server, settings.port)
  const url = readUrl()
  let closed: Promise<void> | undefined

  return {
    url,
    organization: organization.slug,
    clientId,
    clientSecret,
    async trigger(topic, resource) {
      if (!isTopic(topic)) throw new TypeError(`\`${topic}\` is not a topic of Commerce Layer.`)
      const event = createEvent(topic, resource ?? {})
      records.events.set(event.id, event)
      const problem = explainSilence(topic, records)
      if (problem) settings.logger.warn(problem)
      return (await sender.send(event)).map(copyEventCallback)
    },
    get webhooks() {
      return [...records.webhooks.values()].map(copyWebhook)
    },
    get eventCallbacks() {
      return [...records.eventCallbacks.values()].map(copyEventCallback)
    },
    settled: () => sender.settled(),
    close() {
      closed ??= Promise.all([sender.close(), stop(server)]).then(() => {})
      return closed
    },
  }
}

/** Milliseconds in which a request must have come. Its body is small, and its sender is on this machine. */
const REQUEST_TIMEOUT_MS = 30_000

/** These packages are optional peer dependencies, because a receiver does not need them. */
async function loadServer() {
  try {
    const [{ createApi }, { createAdaptorServer }] = await Promise.all([
      import('./api/app.ts'),
      import('@hono/node-server'),
    ])
    return { createApi, createAdaptorServer }
  } catch (cause) {
    throw new Error('The emulator needs `hono` and `@hono/node-server`: npm install -D hono @hono/node-server', {
      cause,
    })
  }
}

function copyWebhook(webhook: WebhookRecord): EmulatedWebhook {
  return structuredClone(webhook)
}

/** The payload is not copied: payloads are large, there may be many, and nothing writes to them. */
function copyEventCallback({ event, webhook, payload, ...others }: EventCallbackRecord): EmulatedEventCallback {
  return { ...structuredClone(others), payload, webhook: copyWebhook(webhook) }
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
