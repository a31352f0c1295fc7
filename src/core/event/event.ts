import type { ResourceOf } from '../../commerce-layer/resources.ts'
import { carries, type Topic } from '../../commerce-layer/topics.ts'
import { WebhookError } from '../errors.ts'
import { type MaybePromise, pipe } from '../maybe-promise.ts'
import type { Delivery } from '../verify/authenticate.ts'
import { fingerprint } from '../verify/fingerprint.ts'
import { checkDocument, type Document, parseDocument } from './document.ts'
import { canonicalDocument } from './event-id.ts'
import type { ResourceWith } from './include.ts'
import { linkResources } from './link-resources.ts'

declare const unknown: unique symbol

/** A topic that is not in the catalogue. Being no literal, it leaves `event.topic === 'orders.place'` able to narrow. */
export type UnknownTopic = `${string}.${string}` & { readonly [unknown]: true }

/** An authentic delivery as a handler sees it, for each topic of `T`: narrow it by `topic`. `Path`: what its `include` names. */
export type WebhookEvent<T extends string = Topic | UnknownTopic, Path extends string = never> = T extends unknown
  ? EventOf<T, Path>
  : never

interface EventOf<T extends string, Path extends string = never> {
  /** `{resource}.{event}`, e.g. `orders.place`. */
  readonly topic: T
  /**
   * The resource as a plain object, its included relationships linked: `order.customer?.email`,
   * `order.line_items?.[0]?.order === order`. Made on first use, the same object every time. What was not included is absent.
   */
  readonly resource: ResourceWith<T, Path>
  /**
   * SHA-256, in hex, over the topic and the canonical form (RFC 8785) of the resource and what is included: the sender gives
   * no id. The same event has the same id however its JSON was spelled (but for the order of its lists). Made on first use.
   *
   * @throws WebhookError `DOCUMENT_INVALID` if the document is nested more than 500 levels deep or holds an infinite number.
   */
  readonly id: string
  /** The environment it comes from; `undefined` if the document does not say. */
  readonly mode: 'test' | 'live' | undefined
  /** The organization it comes from; `undefined` if the document does not say. */
  readonly organizationId: string | undefined
  /**
   * Whether a newer `updated_at` of the same resource was handled before: deliveries come in no order. Known only to an
   * idempotency store; false without one.
   */
  readonly stale: boolean
  /** The bytes as they came and were signed; of an event that was redelivered, the JSON of what the API returned. */
  readonly rawBody: Uint8Array
  /** When the receiver was handed the request. */
  readonly receivedAt: Date
  /** The delivery that brought it; its `id` is that of the bytes, where the event's is that of their meaning. */
  readonly delivery: Delivery
}

/**
 * The `id` that an event of this topic and document has, from wherever the document comes: what the API's event callbacks return
 * can be told by it from what was received.
 *
 * @throws WebhookError `DOCUMENT_INVALID`.
 */
export async function eventIdOf(topic: string, document: unknown): Promise<string> {
  const id = await fingerprint(() => idMaterial(topic, checkDocument(document)))
  return id()
}

/**
 * Parses an authentic delivery into an event.
 *
 * @throws WebhookError `DOCUMENT_INVALID` or `TOPIC_MISMATCH`.
 */
export async function parse(delivery: Delivery): Promise<WebhookEvent> {
  return parseEvent(delivery)
}

/** {@link parse}, at once where the runtime can hash at once. */
export function parseEvent(delivery: Delivery): MaybePromise<WebhookEvent> {
  const document = parseDocument(delivery)
  const { topic } = delivery
  if (!carries(topic, document.data.type)) throw new WebhookError('TOPIC_MISMATCH')
  const source: Source = { document }
  const material = () => idMaterial(topic, source.document ?? parseDocument(delivery))
  return pipe(fingerprint(material), (id) => new ParsedEvent(delivery, document, source, id) as WebhookEvent)
}

function idMaterial(topic: string, document: Document): string[] {
  return [topic, '\n', canonicalDocument(document)]
}

export function markStale(event: WebhookEvent): void {
  ;(event as { stale: boolean }).stale = true
}

/** The document until its resources are linked, which uses it up. */
interface Source {
  document: Document | undefined
}

class ParsedEvent implements EventOf<string> {
  readonly topic: string
  readonly mode: 'test' | 'live' | undefined
  readonly organizationId: string | undefined
  readonly delivery: Delivery
  stale = false
  readonly #source: Source
  readonly #id: () => string
  #resource: ResourceOf<string> | undefined

  constructor(delivery: Delivery, { data, meta }: Document, source: Source, id: () => string) {
    const mode = data.meta?.mode ?? meta?.mode
    const organizationId = data.meta?.organization_id ?? meta?.organization_id
    this.topic = delivery.topic
    this.mode = mode === 'test' || mode === 'live' ? mode : undefined
    this.organizationId = typeof organizationId === 'string' ? organizationId : undefined
    this.delivery = delivery
    this.#source = source
    this.#id = id
  }

  get resource(): ResourceOf<string> {
    if (this.#source.document) {
      this.#resource = linkResources(this.#source.document) as ResourceOf<string>
      this.#source.document = undefined
    }
    return this.#resource as ResourceOf<string>
  }

  get id(): string {
    return this.#id()
  }

  get rawBody(): Uint8Array {
    return this.delivery.body
  }

  get receivedAt(): Date {
    return this.delivery.receivedAt
  }
}
