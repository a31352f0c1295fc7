import type { ResourceOf } from '../commerce-layer/resources.ts'
import type { Topic } from '../commerce-layer/topics.ts'
import { sign } from '../core/verify/signature.ts'
import type { DocumentOptions } from '../wire/document.ts'
import { deliveryHeaders } from '../wire/headers.ts'
import type { Changes } from '../wire/samples/changes.ts'
import { subjectOf } from '../wire/samples/subject.ts'
import { isResource } from '../wire/schema.ts'
import { serialize } from '../wire/serialize.ts'

/** The shared secret that deliveries are signed with unless told otherwise: 32 hex characters, as Commerce Layer's are. */
export const TEST_SECRET = '0123456789abcdef0123456789abcdef'

/** A webhook call as it arrives: what it takes to make a request in any framework. */
export interface TestDelivery<T extends string = string> {
  readonly method: 'POST'
  readonly topic: T
  readonly headers: Record<string, string>
  readonly body: Uint8Array<ArrayBuffer>
}

export interface DeliveryOptions<T extends string = string> extends Omit<DocumentOptions, 'sparse'> {
  /** What the body is signed with. Default: {@link TEST_SECRET}. */
  readonly secret?: string | undefined
  /**
   * What the delivery is about. Fields given without both `type` and `id` change the sample: attributes and relationships
   * replace its own, nested objects change the related sample (in lists, the one at the same place), `null` empties a
   * relationship, and all that is named is included. `type` alone chooses among the types of a family, as `promotions`.
   * With `type` and `id` it is a resource of its own that takes the sample's place, written with every related resource
   * that can be reached from it, or with those of `include`. Default: the sample that suits the event.
   */
  readonly resource?: Changes<ResourceOf<T>>
  /**
   * Which relationships of the sample to include: dotted paths, as in `include_resources`. What the sample lacks is made
   * up; a name that the type does not have throws a TypeError. Default: what is usual for the type, and `tags` for
   * `*.tagged`.
   */
  readonly include?: readonly string[]
  /** Headers to add, or to replace whatever their case; `undefined` removes one. The signature stays that of the body. */
  readonly headers?: Readonly<Record<string, string | undefined>>
}

/**
 * A signed delivery of a topic, with the headers and the bytes that Commerce Layer would send. The topic may be one that is
 * not in the catalogue; one of a family (`promotions.*`, `transactions.*`) carries a concrete type, and `*.destroy` nothing
 * but `type` and `id`. The same arguments give the same bytes: change the resource's `id` to have a second event.
 */
export async function createDelivery<T extends Topic | (string & {})>(
  topic: T,
  options: DeliveryOptions<T> = {},
): Promise<TestDelivery<T>> {
  const body = new TextEncoder().encode(bodyOf(topic, options))
  const signature = await sign(body, options.secret ?? TEST_SECRET)
  const headers = { ...deliveryHeaders(topic, signature), 'content-length': String(body.byteLength) }
  return { method: 'POST', topic, headers: replaceHeaders(headers, options.headers ?? {}), body }
}

function bodyOf(topic: string, options: DeliveryOptions): string {
  const { include, resource = {}, ...documentOptions } = options
  const subject = subjectOf(topic, resource, { include })
  if (topic.endsWith('.destroy')) return serialize(subject, { ...documentOptions, sparse: true })
  return serialize(subject, isResource(resource) ? options : documentOptions)
}

function replaceHeaders(
  headers: Readonly<Record<string, string>>,
  replacements: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const replaced = new Set(Object.keys(replacements).map((name) => name.toLowerCase()))
  const kept = Object.entries(headers).filter(([name]) => !replaced.has(name.toLowerCase()))
  const added = Object.entries(replacements).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  return Object.fromEntries([...kept, ...added])
}
