import { decodeUtf8 } from '../decode-utf8.ts'
import { WebhookError } from '../errors.ts'
import type { Delivery } from '../verify/authenticate.ts'

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
interface Relationship {
  readonly data?: ResourceIdentifier | readonly ResourceIdentifier[] | null
}

/** On the resource up to API version 2026-05, on the document from then on. */
interface Meta {
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
 * The document of an authentic delivery: bytes to UTF-8 text to JSON to a JSON:API document. Only its shape is looked at;
 * what the attributes hold is Commerce Layer's business.
 *
 * @throws WebhookError `DOCUMENT_INVALID`, with a hint that names the place and quotes nothing.
 */
export function parseDocument({ body }: Delivery): Document {
  return checkDocument(parseJson(decodeUtf8(body)))
}

/** @throws WebhookError `DOCUMENT_INVALID`. */
export function checkDocument(value: unknown): Document {
  if (!isDocument(value)) throw documentInvalid(describeProblem(value))
  return value
}

/** The parser's own message is dropped: it quotes the body. */
function parseJson(text: string | undefined): unknown {
  if (!text) throw documentInvalid(text === '' ? 'The body is empty.' : 'The body is not UTF-8.')
  try {
    return JSON.parse(text)
  } catch {
    throw documentInvalid(
      text.startsWith('\uFEFF') ? 'The body starts with a byte order mark.' : 'The body is not JSON.',
    )
  }
}

function documentInvalid(hint: string): WebhookError {
  return new WebhookError('DOCUMENT_INVALID', { hint })
}

/** By hand, because every delivery passes here: a schema takes longer over a list of resources than it took to parse them. */
function isDocument(value: unknown): value is Document {
  if (!isObject<Document>(value) || !isResource(value.data)) return false
  return value.included == null || (Array.isArray(value.included) && value.included.every(isResource))
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

function isObject<T extends object>(value: unknown): value is Partial<T> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What is wrong with something that is no document. */
function describeProblem(value: unknown): string {
  const data = Object((Object(value) as Partial<Document>).data) as Partial<ResourceObject>
  const missing = (['id', 'type'] as const).filter((name) => typeof data[name] !== 'string')
  return missing.length > 0
    ? `The body has no ${missing.map((name) => `data.${name}`).join(', no ')}.`
    : 'A resource in the body is malformed.'
}
