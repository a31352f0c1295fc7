import * as z from 'zod/mini'
import type { Delivery } from './authenticate.ts'
import { WebhookError } from './errors.ts'
import { textOf } from './text.ts'

/** Points at a resource: JSON:API's "resource identifier object". */
export interface ResourceIdentifier {
  readonly id: string
  readonly type: string
}

/** A resource as it stands in a JSON:API document, its relationships not linked. */
export interface ResourceObject extends ResourceIdentifier {
  readonly attributes?: Record<string, unknown> | null
  readonly relationships?: Readonly<Record<string, Relationship | null>> | null
  readonly meta?: Meta | null
}

/** Without `data` the relationship was not included; `null` says that there is none. */
export interface Relationship {
  readonly data?: ResourceIdentifier | readonly ResourceIdentifier[] | null
}

/** On the resource up to API version 2026-05, on the document from then on. */
export interface Meta {
  readonly mode?: unknown
  readonly organization_id?: unknown
}

/** The body of a delivery: a JSON:API document with one primary resource. */
export interface Document {
  readonly data: ResourceObject
  readonly included?: readonly ResourceObject[] | null
  readonly meta?: Meta | null
}

/**
 * The document of an authentic delivery: bytes to UTF-8 text to JSON to a JSON:API document. Only its envelope is looked at;
 * what the attributes hold is Commerce Layer's business.
 *
 * @throws WebhookError `DOCUMENT_INVALID`, with a hint that names the place and quotes nothing.
 */
export function documentOf({ body }: Delivery): Document {
  const document = fromJson(textOf(body))
  const { error } = envelope.safeParse(document)
  if (error) {
    throw invalid(
      error.issues.map(({ path, message }) => `${path.join('.') || 'the document'} is ${message}`).join(', '),
    )
  }
  return document as Document
}

/** The parser's own message is dropped: it quotes the body. */
function fromJson(text: string | undefined): unknown {
  if (text === undefined) throw invalid('the body is not UTF-8')
  if (text === '') throw invalid('the body is empty')
  try {
    return JSON.parse(text)
  } catch {
    throw invalid(text.startsWith('\uFEFF') ? 'the body starts with a byte order mark' : 'the body is not JSON')
  }
}

function invalid(hint: string): WebhookError {
  return new WebhookError('DOCUMENT_INVALID', { hint })
}

const string = z.string('not a string')
const object = z.custom<object>(isObject, 'not an object')
const resource = z.object(
  {
    id: string,
    type: string,
    attributes: z.nullish(object),
    relationships: z.nullish(object),
    meta: z.nullish(object),
  },
  'not one resource',
)
/** By hand: over every included resource, zod costs more than parsing the JSON. */
const resources = z.custom<unknown[]>(
  (value) => Array.isArray(value) && value.every(isResource),
  'not a list of resources',
)
const envelope = z.object({ data: resource, included: z.nullish(resources), meta: z.nullish(object) }, 'not an object')

function isObject<T extends object>(value: unknown): value is Partial<T> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isResource(value: unknown): boolean {
  return (
    isObject<ResourceObject>(value) &&
    typeof value.id === 'string' &&
    typeof value.type === 'string' &&
    (value.attributes == null || isObject(value.attributes)) &&
    (value.relationships == null || isObject(value.relationships))
  )
}
