import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { TEST_ORGANIZATION_ID, TEST_SECRET } from 'hooklayer/testing'
import { afterEach } from 'vitest'
import type { EventCallbackRecord, EventRecord, Records, Sender, WebhookRecord } from '../../../src/emulator/records.ts'
import { createSender, type SenderOptions } from '../../../src/emulator/sender/sender.ts'
import { listen } from '../../contracts/adapter/listen.ts'

/** A request that reached an endpoint. It is complete before the answer, unless the connection was cut. */
export interface Arrival {
  readonly topic: string
  readonly signature: string
  readonly headers: IncomingHttpHeaders
  readonly chunks: Buffer[]
  isComplete: boolean
}

export interface Endpoint {
  readonly url: string
  readonly arrivals: Arrival[]
}

type Reply = (response: ServerResponse, arrival: Arrival, nth: number) => void

const closing: (() => Promise<unknown>)[] = []

/** Closes senders before servers, because a server waits for open calls. */
export function closeAfterEach(): void {
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })
}

export const answer =
  (status: number): Reply =>
  (response) => {
    response.writeHead(status).end()
  }

/** Starts a server that records its requests. */
export async function createEndpoint(reply: Reply = answer(200)): Promise<Endpoint> {
  const arrivals: Arrival[] = []
  const { url, close } = await listen((request, response) => {
    const arrival = createArrival(request)
    const nth = arrivals.push(arrival)
    request.on('data', (chunk: Buffer) => arrival.chunks.push(chunk))
    request.on('error', () => {})
    request.once('end', () => {
      arrival.isComplete = true
      reply(response, arrival, nth)
    })
  })
  closing.push(close)
  return { url, arrivals }
}

function createArrival({ headers }: IncomingMessage): Arrival {
  const topic = String(headers['x-commercelayer-topic'])
  return { topic, signature: String(headers['x-commercelayer-signature']), headers, chunks: [], isComplete: false }
}

export async function startServer(listener: Parameters<typeof listen>[0]): Promise<string> {
  const { url, close } = await listen(listener)
  closing.push(close)
  return url
}

export const readBody = ({ chunks }: Arrival): Buffer => Buffer.concat(chunks)
export const readDocument = (arrival: Arrival) => JSON.parse(readBody(arrival).toString())

const SHARED = { reference: null, reference_origin: null, metadata: {} }
const STAMP = '2026-08-01T09:30:00.000Z'

export function createWebhook(callback_url: string, changes: Partial<WebhookRecord> = {}): WebhookRecord {
  return {
    ...SHARED,
    id: 'xYZkjABcde',
    type: 'webhooks',
    name: 'acme-orders.place',
    topic: 'orders.place',
    callback_url,
    include_resources: null,
    disabled_at: null,
    circuit_state: 'closed',
    circuit_failure_count: 0,
    shared_secret: TEST_SECRET,
    created_at: STAMP,
    updated_at: STAMP,
    ...changes,
  }
}

/** A small order, because some tests send hundreds. */
export function createEvent(resource: object = {}, name = 'orders.place'): EventRecord {
  return {
    ...SHARED,
    id: 'NrlYhpzLKA',
    type: 'events',
    name,
    created_at: STAMP,
    updated_at: STAMP,
    resource: { id: 'OeRyhjDlje', type: name.slice(0, name.indexOf('.')), ...resource },
  }
}

/** Events with an order number from 1 on, so that an endpoint can distinguish them. */
export const createEvents = (count: number): EventRecord[] =>
  Array.from({ length: count }, (_, i) => createEvent({ number: i + 1 }))
export const readNumber = (arrival: Arrival): number => readDocument(arrival).data.attributes.number

export interface SenderHarness {
  readonly sender: Sender
  readonly records: Records
  readonly callbacks: () => EventCallbackRecord[]
  /** Response codes and messages, in the order of the calls. */
  readonly answers: () => [code: string | null, message: string | null][]
}

/** Creates a sender with webhooks. Its retries have no delay by default. */
export function createSenderHarness(
  webhooks: readonly WebhookRecord[],
  options: Partial<SenderOptions> = {},
): SenderHarness {
  const records: Records = {
    webhooks: new Map(webhooks.map((webhook) => [webhook.id, webhook])),
    eventCallbacks: new Map(),
    events: new Map(),
    holders: new Map(),
  }
  const defaults = { records, mode: 'test', organizationId: TEST_ORGANIZATION_ID } as const
  const sender = createSender({ ...defaults, retryDelayMs: () => 0, ...options })
  closing.push(sender.close)
  const callbacks = () => [...records.eventCallbacks.values()]
  return {
    sender,
    records,
    callbacks,
    answers: () => callbacks().map(({ response_code, response_message }) => [response_code, response_message]),
  }
}
