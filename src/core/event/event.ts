import type { ResourceOf } from '../../commerce-layer/resources.ts'
import { carries, type Topic } from '../../commerce-layer/topics.ts'
import { WebhookError } from '../errors.ts'
import { type MaybePromise, pipe } from '../maybe-promise.ts'
import { platform } from '../platform.ts'
import { bodyIdOf, copyDelivery, type Delivery, readSigned } from '../verify/delivery.ts'
import { checkLabels } from './check-labels.ts'
import { checkDocument, type Document, parseDocument, readTenant } from './document.ts'
import { canonicalDocument } from './event-id.ts'
import type { ResourceWith } from './include.ts'
import { linkResources } from './link-resources.ts'

declare const unknown: unique symbol

/** A topic that is not in the catalogue. The brand keeps `event.topic === 'orders.place'` able to narrow the union. */
export type UnknownTopic = `${string}.${string}` & { readonly [unknown]: true }

/**
 * A verified and parsed delivery, for each topic of `T`: narrow it by `topic`. `Path` holds the paths of the handler's
 * `include`.
 */
export type WebhookEvent<T extends string = Topic | UnknownTopic, Path extends string = never> = T extends unknown
  ? EventOf<T, Path>
  : never

interface EventOf<out T extends string, in out Path extends string = never> {
  /** `{resource}.{event}`, e.g. `orders.place`. */
  readonly topic: T
  /**
   * The resource as a plain object, with included relationships linked: `order.customer?.email`,
   * `order.line_items?.[0]?.order === order`. Made on first use, and the same object each time. A relationship that was
   * not included is absent. `JSON.stringify` writes each resource as a whole where it meets it first, and as
   * `{ type, id }` from then on.
   */
  readonly resource: ResourceWith<T, Path>
  /**
   * SHA-256, in hex, over the topic and the canonical form (RFC 8785) of the resource and the included resources,
   * because Commerce Layer sends no id. It does not depend on the spelling of the JSON, except for the order of lists.
   * Computed on first use.
   *
   * @throws WebhookError `DOCUMENT_INVALID` if the document is nested more than 500 levels deep or holds an infinite
   * number.
   */
  readonly id: string
  /** The environment; `undefined` if the document does not say. */
  readonly mode: 'test' | 'live' | undefined
  /** The id of the organization; `undefined` if the document does not say. */
  readonly organizationId: string | undefined
  /**
   * Whether a newer `updated_at` of the same resource was handled before, because deliveries are not ordered. Needs an
   * idempotency store; false without one.
   */
  readonly stale: boolean
  /** The signed bytes as received; for a redelivered event, the JSON of the document from the API. */
  readonly rawBody: Uint8Array
  /** When the receiver was given the request. */
  readonly receivedAt: Date
  /** The delivery of the event. Its `id` identifies the bytes; the `id` of the event identifies the content. */
  readonly delivery: Delivery
  /** For `JSON.stringify`: the event without its bytes. A spread and `structuredClone` do not call it. */
  toJSON(): EventJson<T, Path>
}

type EventJson<T extends string, Path extends string> = Pick<
  EventOf<T, Path>,
  'id' | 'topic' | 'mode' | 'organizationId' | 'receivedAt' | 'resource'
>

/**
 * Computes the `id` of an event from its topic and document, for example of a payload from the API's event callbacks.
 *
 * @throws WebhookError `DOCUMENT_INVALID`.
 * @example
 * const id = await eventIdOf('orders.place', eventCallback.payload)
 */
export async function eventIdOf(topic: string, document: unknown): Promise<string> {
  const id = await platform.fingerprint(() => idMaterial(topic, checkDocument(document)))
  return id()
}

/**
 * Parses a verified delivery into an event.
 *
 * @throws WebhookError `DOCUMENT_INVALID` or `TOPIC_MISMATCH`; `SIGNATURE_MISMATCH` if the secret that has signed it is
 * of another organization or mode.
 * @example
 * const event = await parse(await verify(rawBody, request.headers, secrets))
 */
export async function parse(delivery: Delivery): Promise<WebhookEvent> {
  return parseEvent(delivery)
}

/**
 * {@link parse}, without a promise where the runtime hashes synchronously.
 *
 * @param document the document of the delivery, if it was parsed before.
 */
export function parseEvent(delivery: Delivery, document = parseDocument(delivery)): MaybePromise<WebhookEvent> {
  checkLabels(delivery, document)
  const { topic } = readSigned(delivery)
  const { mode, organizationId } = readTenant(document)
  if (!carries(topic, document.data.type)) throw new WebhookError('TOPIC_MISMATCH')
  const source: Source = {
    delivery,
    topic,
    document,
    mode: mode === 'test' || mode === 'live' ? mode : undefined,
    organizationId: typeof organizationId === 'string' ? organizationId : undefined,
    reference: { type: document.data.type, id: document.data.id },
    stale: false,
  }
  const material = () => idMaterial(topic, source.document ?? parseDocument(delivery))
  return pipe(platform.fingerprint(material), (id) => new ParsedEvent(source, delivery, id) as WebhookEvent)
}

/** The fingerprint of an event's content without its topic; of its bytes if it has no canonical form. */
export async function contentIdOf({ delivery }: WebhookEvent): Promise<string> {
  try {
    return await eventIdOf('', parseDocument(delivery))
  } catch {
    return bodyIdOf(delivery)
  }
}

function idMaterial(topic: string, document: Document): string[] {
  return [topic, '\n', canonicalDocument(document)]
}

/** What an event and its copies are made of. No handler can reach it. */
interface Source {
  readonly delivery: Delivery
  readonly topic: string
  readonly mode: 'test' | 'live' | undefined
  readonly organizationId: string | undefined
  readonly reference: { readonly type: string; readonly id: string }
  /** Linking changes the document, so it is taken out then. Whoever needs it later parses the bytes again. */
  document: Document | undefined
  stale: boolean
}

function takeDocument(source: Source): Document {
  const document = source.document ?? parseDocument(source.delivery)
  source.document = undefined
  return document
}

/** Set by the class, because nothing else can read its private fields. */
let copyParsed: (event: ParsedEvent) => ParsedEvent
let markParsedStale: (event: ParsedEvent) => void

/** Names an event in the fields of a log, and adds others. The id is computed when it is read. */
export let describeEvent: (event: WebhookEvent, more: object) => Readonly<Record<string, unknown>>

/** What an event was made of, whatever was done to the object since. */
export let readSource: (event: WebhookEvent) => Pick<Source, 'reference' | 'mode' | 'organizationId'>

const DESCRIBED = Symbol('event')

/**
 * One getter for all: V8 makes a hidden class of each getter, which keeps the document that the getter reads until the
 * next full collection. That doubled the time of a delivery of 20 KB.
 */
const EVENT_ID = {
  get(this: { readonly [DESCRIBED]?: WebhookEvent }): string | undefined {
    try {
      return this[DESCRIBED]?.id
    } catch {
      return undefined // The document has no canonical form.
    }
  },
}

/** Where Node's `console.log` asks what to print. By itself it prints no getter of a class, as if there were none. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom')

class ParsedEvent implements EventOf<string> {
  static {
    copyParsed = (event) => new ParsedEvent(event.#source, copyDelivery(event.#source.delivery), event.#id)
    markParsedStale = (event) => {
      event.stale = true
      event.#source.stale = true
    }
    readSource = (event) => (event as unknown as ParsedEvent).#source
    describeEvent = (event, more) => {
      const { topic, reference } = (event as unknown as ParsedEvent).#source
      const fields = { topic, eventId: undefined, resource: reference, ...more }
      if ('eventId' in more) return fields
      Object.defineProperty(fields, DESCRIBED, { value: event })
      return Object.defineProperty(fields, 'eventId', EVENT_ID)
    }
  }

  readonly topic: string
  readonly mode: 'test' | 'live' | undefined
  readonly organizationId: string | undefined
  stale: boolean
  readonly #delivery: Delivery
  readonly #source: Source
  readonly #id: () => string
  #resource: ResourceOf<string> | undefined

  constructor(source: Source, delivery: Delivery, id: () => string) {
    this.topic = source.topic
    this.mode = source.mode
    this.organizationId = source.organizationId
    this.#delivery = delivery
    this.stale = source.stale
    this.#source = source
    this.#id = id
  }

  get resource(): ResourceOf<string> {
    this.#resource ??= linkResources(takeDocument(this.#source)) as ResourceOf<string>
    return this.#resource
  }

  get id(): string {
    return this.#id()
  }

  get delivery(): Delivery {
    return this.#delivery
  }

  get rawBody(): Uint8Array {
    return this.delivery.body
  }

  get receivedAt(): Date {
    return this.delivery.receivedAt
  }

  toJSON(): EventJson<string, never> {
    const { id, topic, mode, organizationId, receivedAt, resource } = this
    return { id, topic, mode, organizationId, receivedAt, resource }
  }

  /** Names what costs something or is personal, and does not print it. */
  [INSPECT](): object {
    const event = this
    return {
      ...event,
      receivedAt: event.receivedAt,
      get id() {
        return event.id
      },
      get resource() {
        return event.resource
      },
      get rawBody() {
        return event.rawBody
      },
    }
  }
}

/**
 * An event of the same delivery, as it was before any handler had it: what is done to one of the two is not seen in the
 * other. Costs nothing until its resource or its bytes are read: the bytes are parsed again then.
 */
export function copyEvent(event: WebhookEvent): WebhookEvent {
  return copyParsed(event as never) as WebhookEvent
}

/** Says in an event, and in copies that are made of it later, that a newer version of its resource was handled. */
export function markStale(event: WebhookEvent): void {
  markParsedStale(event as never)
}
