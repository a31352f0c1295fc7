import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { TEST_ORGANIZATION_ID, TEST_SECRET } from 'hooklayer/testing'
import { afterEach } from 'vitest'
import type { EventCallbackRecord, EventRecord, Records, Sender, WebhookRecord } from '../../../src/emulator/records.ts'
import { createSender, type SenderOptions } from '../../../src/emulator/sender/sender.ts'
import { listen } from '../../contracts/adapter/listen.ts'

/** What reached an endpoint: all of it by the time that it is answered, if the connection lasted. */
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

/** Senders first: they end the calls that a server would wait for. */
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

/** A plain server that remembers what arrived. */
export async function createEndpoint(reply: Reply = answer(200)): Promise<Endpoint> {
  const arrivals: Arrival[] = []
  const { url, close } = await listen((request, response) => {
    const arrival = arrivalOf(request)
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

function arrivalOf({ headers }: IncomingMessage): Arrival {
  const topic = String(headers['x-commercelayer-topic'])
  return { topic, signature: String(headers['x-commercelayer-signature']), headers, chunks: [], isComplete: false }
}

export async function createUrl(listener: Parameters<typeof listen>[0]): Promise<string> {
  const { url, close } = await listen(listener)
  closing.push(close)
  return url
}

export const bodyOf = ({ chunks }: Arrival): Buffer => Buffer.concat(chunks)
export const documentOf = (arrival: Arrival) => JSON.parse(bodyOf(arrival).toString())

const SHARED = { reference: null, reference_origin: null, metadata: {} }
const STAMP = '2026-08-01T09:30:00.000Z'

export function webhookFor(callback_url: string, changes: Partial<WebhookRecord> = {}): WebhookRecord {
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

/** An order that is small: some tests send hundreds. */
export function eventOf(resource: object = {}, name = 'orders.place'): EventRecord {
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

/** Events that an endpoint can tell apart, from 1 on. */
export const numbered = (count: number): EventRecord[] =>
  Array.from({ length: count }, (_, i) => eventOf({ number: i + 1 }))
export const numberOf = (arrival: Arrival): number => documentOf(arrival).data.attributes.number

export interface Scene {
  readonly sender: Sender
  readonly records: Records
  readonly callbacks: () => EventCallbackRecord[]
  /** Codes and messages, in the order of the calls. */
  readonly answers: () => [code: string | null, message: string | null][]
}

/** A sender with some webhooks; retries follow at once. */
export function createScene(webhooks: readonly WebhookRecord[], options: Partial<SenderOptions> = {}): Scene {
  const records: Records = {
    webhooks: new Map(webhooks.map((webhook) => [webhook.id, webhook])),
    eventCallbacks: new Map(),
    events: new Map(),
  }
  const house = { records, mode: 'test', organizationId: TEST_ORGANIZATION_ID } as const
  const sender = createSender({ ...house, retryDelayMs: () => 0, ...options })
  closing.push(sender.close)
  const callbacks = () => [...records.eventCallbacks.values()]
  return {
    sender,
    records,
    callbacks,
    answers: () => callbacks().map(({ response_code, response_message }) => [response_code, response_message]),
  }
}
