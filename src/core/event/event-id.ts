import { WebhookError } from '../errors.ts'
import { canonicalJson } from './canonical-json.ts'
import type { Document, ResourceObject } from './document.ts'

/**
 * What makes two documents the same event, in RFC 8785's canonical form: `data` and `included` without `links` and `meta`,
 * which say where and how a resource was read rather than what it is. A relationship that has links only says nothing either.
 */
export function canonicalDocument({ data, included }: Document): string {
  try {
    return canonicalJson({ data: eventContent(data), included: (included ?? []).map(eventContent) })
  } catch (error) {
    const hint = `The document has no canonical form, and so no id: ${(error as RangeError).message}.`
    throw new WebhookError('DOCUMENT_INVALID', { hint })
  }
}

function eventContent({ id, type, attributes, relationships }: ResourceObject): object {
  const linked = Object.entries(relationships ?? {}).flatMap(([name, relationship]) =>
    relationship?.data === undefined ? [] : [[name, relationship.data]],
  )
  return { id, type, attributes: attributes ?? {}, relationships: Object.fromEntries(linked) }
}
