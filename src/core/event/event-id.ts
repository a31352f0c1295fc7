import { WebhookError } from '../errors.ts'
import { canonicalJson } from './canonical-json.ts'
import type { Document, ResourceObject } from './document.ts'

/**
 * Gives the content that identifies an event, in the canonical form of RFC 8785: `data` and `included`, without
 * `links`, `meta` and relationships that have only links. They depend on the request to the API, and not on the
 * resource.
 */
export function canonicalDocument({ data, included }: Document): string {
  try {
    return canonicalJson({ data: eventContent(data), included: (included ?? []).map(eventContent) })
  } catch (error) {
    const hint = `The document has no canonical form, and therefore no id: ${(error as RangeError).message}.`
    throw new WebhookError('DOCUMENT_INVALID', { hint })
  }
}

function eventContent({ id, type, attributes, relationships }: ResourceObject): object {
  const linked = Object.entries(relationships ?? {}).flatMap(([name, relationship]) =>
    relationship?.data === undefined ? [] : [[name, relationship.data]],
  )
  return { id, type, attributes: attributes ?? {}, relationships: Object.fromEntries(linked) }
}
