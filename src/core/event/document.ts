import { WebhookError } from '../errors.ts'
import { platform } from '../platform.ts'
import { type Delivery, readSigned } from '../verify/delivery.ts'

/** A reference to a resource: JSON:API's "resource identifier object". */
export interface ResourceIdentifier {
  readonly id: string
  readonly type: string
}

/** A resource of a JSON:API document, with relationships that are not linked. */
export interface ResourceObject extends ResourceIdentifier {
  readonly attributes?: Record<string, unknown> | null
  readonly relationships?: Readonly<Record<string, Relationship | null>> | null
  readonly meta?: Meta | null
}

/** Without `data` the relationship was not included; with `null` there is no related resource. */
interface Relationship {
  readonly data?: ResourceIdentifier | readonly ResourceIdentifier[] | null
}

/** Part of the resource before API version 2026-05, and of the document since. */
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

/** The organization and the mode that a document says, wherever it says them; `undefined` where it does not. */
export function readTenant({ data, meta }: Document): { organizationId: unknown; mode: unknown } {
  return {
    organizationId: data.meta?.organization_id ?? meta?.organization_id,
    mode: data.meta?.mode ?? meta?.mode,
  }
}

/**
 * Parses the body of a verified delivery: UTF-8, JSON, JSON:API document. Checks the shape of the document, and not its
 * attributes.
 *
 * @throws WebhookError `DOCUMENT_INVALID`, with a hint that names the place and quotes nothing of the body.
 */
export function parseDocument(delivery: Delivery): Document {
  return checkDocument(parseJson(platform.decodeUtf8(readSigned(delivery).bytes)))
}

/** @throws WebhookError `DOCUMENT_INVALID`. */
export function checkDocument(value: unknown): Document {
  if (!isDocument(value)) throw documentInvalid(describeProblem(value))
  return value
}

/** Drops the message of the JSON parser, because it quotes the body. */
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

/** Written by hand for speed: with a schema library the check takes longer than parsing. */
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

/** Says why a value is not a document. */
function describeProblem(value: unknown): string {
  const data = Object((Object(value) as Partial<Document>).data) as Partial<ResourceObject>
  const missing = (['id', 'type'] as const).filter((name) => typeof data[name] !== 'string')
  return missing.length > 0
    ? `The body has no ${missing.map((name) => `data.${name}`).join(', no ')}.`
    : 'A resource in the body is malformed.'
}
