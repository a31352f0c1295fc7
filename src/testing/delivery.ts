import type { ResourceOf } from '../commerce-layer/resources.ts'
import type { Topic } from '../commerce-layer/topics.ts'
import { checkNames } from '../core/check-options.ts'
import { sign } from '../core/verify/signature.ts'
import { TEST_SECRET } from '../core/verify/test-secret.ts'
import type { DocumentOptions } from '../wire/document.ts'
import { createDeliveryHeaders } from '../wire/headers.ts'
import type { Changes } from '../wire/samples/changes.ts'
import { createSubject } from '../wire/samples/subject.ts'
import { isResource } from '../wire/schema.ts'
import { serialize } from '../wire/serialize.ts'

/** `Uint8Array<ArrayBuffer>`, as `fetch` takes it. TypeScript before 5.7 does not know that `Uint8Array` has parameters. */
type Bytes = ReturnType<typeof Uint8Array.of>

/**
 * A webhook call with all that a request needs in any framework. `fetch`, `Request` and `receiver.receive` take it as
 * it is.
 */
export interface TestDelivery<T extends string = string> {
  readonly method: 'POST'
  readonly topic: T
  /** The headers of captured deliveries, with the signature and `content-length`. */
  readonly headers: Record<string, string>
  /** The UTF-8 bytes that the signature is computed from. */
  readonly body: Bytes
}

/** The options of {@link createDelivery}. */
export interface DeliveryOptions<T extends string = string> extends Omit<DocumentOptions, 'sparse'> {
  /** The shared secret that the body is signed with. Default: {@link TEST_SECRET}. */
  readonly secret?: string | undefined
  /**
   * The resource of the delivery. Default: a sample in the state after the event, e.g. a placed order for
   * `orders.place`.
   *
   * Without `type` and `id` together, the fields change that sample:
   *
   * - An attribute replaces that of the sample. `undefined` removes it.
   * - A nested object changes the related sample. In a list it changes the sample at the same position.
   * - `null` or `[]` empties a relationship.
   * - Every relationship that is named is included.
   * - `type` alone chooses a type of a family, such as `flex_promotions` for `promotions.create`.
   *
   * With `type` and `id` it is a whole resource and replaces the sample. All its related resources are included, or
   * those of `include`.
   */
  readonly resource?: Changes<ResourceOf<T>> | undefined
  /**
   * The relationships to include: dotted paths, as in `include_resources` of a webhook. Relationships that the sample
   * lacks are made up. Default: the usual ones of the type, and `tags` for `*.tagged`.
   *
   * @throws TypeError for a name that is not a relationship of the type.
   */
  readonly include?: readonly string[] | undefined
  /** Headers to add or replace, in any case. `undefined` removes a header. The signature is not computed again. */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined
}

const OPTIONS: readonly (keyof DeliveryOptions)[] = [
  'secret',
  'resource',
  'include',
  'headers',
  'mode',
  'organizationId',
  'apiVersion',
  'traceId',
]

/**
 * Creates a signed delivery of a topic, with the headers and the bytes that Commerce Layer sends.
 *
 * - Any topic is accepted, in the catalog `TOPICS` or not.
 * - A topic of a family (`promotions.*`, `transactions.*`) carries a concrete type.
 * - `*.destroy` carries only `type` and `id`.
 * - The same arguments give the same bytes, so for a receiver it is the same event. Change `resource.id` for another
 *   event.
 *
 * @throws TypeError for an option that is unknown, or an `include` that is not a relationship of the type.
 *
 * @example
 * const delivery = await createDelivery('orders.place', { resource: { customer: { email: 'zoe@example.com' } } })
 * const { status } = await receiver.receive(delivery)
 */
export async function createDelivery<T extends Topic | (string & {})>(
  topic: T,
  options: DeliveryOptions<T> = {},
): Promise<TestDelivery<T>> {
  checkNames('createDelivery', Object.keys(options), OPTIONS)
  const body = new TextEncoder().encode(writeBody(topic, options))
  const signature = await sign(body, options.secret ?? TEST_SECRET)
  const headers = { ...createDeliveryHeaders(topic, signature), 'content-length': String(body.byteLength) }
  return { method: 'POST', topic, headers: replaceHeaders(headers, options.headers ?? {}), body }
}

function writeBody(topic: string, options: DeliveryOptions): string {
  const { include, resource = {}, ...documentOptions } = options
  const subject = createSubject(topic, resource, { include })
  if (topic.endsWith('.destroy')) return serialize(subject, { ...documentOptions, sparse: true })
  return serialize(subject, isResource(resource) ? options : documentOptions)
}

function replaceHeaders(
  headers: Readonly<Record<string, string>>,
  replacements: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const replaced = new Set(Object.keys(replacements).map((name) => name.toLowerCase()))
  const unchanged = Object.entries(headers).filter(([name]) => !replaced.has(name.toLowerCase()))
  const added = Object.entries(replacements).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  return Object.fromEntries([...unchanged, ...added])
}
