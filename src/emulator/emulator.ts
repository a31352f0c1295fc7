import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ResourceOf } from '../commerce-layer/resources.ts'
import type { Topic } from '../commerce-layer/topics.ts'
import type { Changes } from '../wire/samples/changes.ts'
import { randomId } from '../wire/samples/ids.ts'
import { subjectOf } from '../wire/samples/subject.ts'
import { isTopic } from './api/webhooks.ts'
import { createBoundedMap } from './bounded-map.ts'
import { checkOptions, type EmulatorOptions } from './options.ts'
import type { EventCallbackRecord, EventRecord, Records, WebhookRecord } from './records.ts'
import { createSender } from './sender/sender.ts'

/** A webhook as the API answers with it, its secret included. */
export type EmulatedWebhook = Readonly<WebhookRecord>

/** An event callback as the API answers with it, its webhook included. */
export type EmulatedEventCallback = Readonly<Omit<EventCallbackRecord, 'event'>>

export interface Emulator {
  /** Where it listens, as `http://127.0.0.1:4000`: for `/oauth/token` as for `/api`. */
  readonly url: string
  /** The organisation's slug. */
  readonly organization: string
  readonly clientId: string
  readonly clientSecret: string
  /**
   * Has something happen to a resource, and so calls the webhooks that subscribe to the topic. The resource is what
   * `createDelivery` of `hooklayer/testing` takes: an SDK-shaped one, or changes to the sample that suits the topic, which
   * has whatever these webhooks include. Resolves with the first call to each of them, once it has ended; retries follow.
   *
   * @throws TypeError for a topic that is not in the catalogue.
   */
  trigger<T extends Topic | (string & {})>(
    topic: T,
    resource?: Changes<ResourceOf<T>>,
  ): Promise<EmulatedEventCallback[]>
  /** As they are at this moment, in the order of their making. */
  readonly webhooks: readonly EmulatedWebhook[]
  /** As they are at this moment, in the order of the calls. */
  readonly eventCallbacks: readonly EmulatedEventCallback[]
  /** Resolves when no call and no retry is under way. */
  settled(): Promise<void>
  /** Stops listening, ends the calls that are under way and forgets the retries. */
  close(): Promise<void>
}

/**
 * Starts a local Commerce Layer: the API of webhooks, event callbacks and events, and the sender that calls the webhooks.
 * It listens on 127.0.0.1 and keeps everything in memory. Clients reach it under its own URL instead of the platform's two
 * hosts. It needs `hono` and `@hono/node-server`.
 *
 * @throws TypeError for wrong options, `Error` if the port is in use.
 */
export async function createEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const settings = checkOptions(options)
  const { organizationId, clientId, clientSecret, maxEventCallbacks } = settings
  const organization = { id: organizationId, slug: settings.organization }
  const records: Records = {
    webhooks: new Map(),
    eventCallbacks: createBoundedMap(maxEventCallbacks),
    events: createBoundedMap(maxEventCallbacks),
  }
  const sender = createSender({ ...settings, records })
  const { createApi, createAdaptorServer } = await loadServer()
  const api = createApi({ ...settings, organization, records, sender })
  const server = createAdaptorServer({ fetch: api.fetch }) as Server
  await listen(server, settings.port)
  const { port } = server.address() as AddressInfo
  let closed: Promise<void> | undefined

  return {
    url: `http://127.0.0.1:${port}`,
    organization: organization.slug,
    clientId,
    clientSecret,
    async trigger(topic, resource) {
      if (!isTopic(topic)) throw new TypeError(`\`${topic}\` is not a topic of Commerce Layer's.`)
      const event = createEvent(topic, resource ?? {}, records)
      records.events.set(event.id, event)
      return (await sender.send(event)).map(copyOfCallback)
    },
    get webhooks() {
      return [...records.webhooks.values()].map(copyOfWebhook)
    },
    get eventCallbacks() {
      return [...records.eventCallbacks.values()].map(copyOfCallback)
    },
    settled: () => sender.settled(),
    close() {
      closed ??= Promise.all([sender.close(), stop(server)]).then(() => {})
      return closed
    },
  }
}

/** Optional peers: who only receives does not install them. */
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

function createEvent(name: string, resource: object, { webhooks }: Records): EventRecord {
  const subscribed = [...webhooks.values()].filter(({ topic }) => topic === name)
  const attach = subscribed.flatMap(({ include_resources }) => include_resources ?? [])
  const now = new Date().toISOString()
  return {
    id: randomId(),
    type: 'events',
    name,
    created_at: now,
    updated_at: now,
    reference: null,
    reference_origin: null,
    metadata: {},
    resource: structuredClone(subjectOf(name, resource, { attach })),
  }
}

function copyOfWebhook(webhook: WebhookRecord): EmulatedWebhook {
  return structuredClone(webhook)
}

/** The payload is not copied: there may be many of them, they are large, and nobody writes to them. */
function copyOfCallback({ event, webhook, payload, ...others }: EventCallbackRecord): EmulatedEventCallback {
  return { ...structuredClone(others), payload, webhook: copyOfWebhook(webhook) }
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause
    throw new Error(`Port ${port} of 127.0.0.1 is in use. Choose another one, or none to have a free one.`, { cause })
  }
}

async function stop(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
