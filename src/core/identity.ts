import canonicalize from 'canonicalize'
import type { Document, ResourceObject } from './document.ts'
import { WebhookError } from './errors.ts'

/** Deeper than any real document, shallow enough for any stack: what makes the canonical form calls itself for each level. */
const MAX_DEPTH = 500

/**
 * What makes two documents the same event, in RFC 8785's canonical form: `data` and `included` without `links` and `meta`,
 * which say where and how a resource was read rather than what it is. A relationship that has links only says nothing either.
 */
export function canonicalForm({ data, included }: Document): string {
  const content = { data: contentOf(data), included: (included ?? []).map(contentOf) }
  if (isDeeperThan(content, MAX_DEPTH)) throw notCanonical(`it is nested more than ${MAX_DEPTH} levels deep`)
  try {
    return canonicalize(content) as string
  } catch {
    throw notCanonical('a number is out of range')
  }
}

function notCanonical(why: string): WebhookError {
  return new WebhookError('DOCUMENT_INVALID', { hint: `The document has no canonical form, and so no id: ${why}.` })
}

function contentOf({ id, type, attributes, relationships }: ResourceObject): object {
  const linked = Object.entries(relationships ?? {}).flatMap(([name, relationship]) =>
    relationship?.data === undefined ? [] : [[name, relationship.data]],
  )
  return { id, type, attributes: attributes ?? {}, relationships: Object.fromEntries(linked) }
}

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return depth === 0 || Object.values(value).some((inner) => isDeeperThan(inner, depth - 1))
}
