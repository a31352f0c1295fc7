import { type Delivery, labelsOf } from '../verify/delivery.ts'
import { checkLabels } from './check-labels.ts'
import { type Document, parseDocument } from './document.ts'

/**
 * Parses a delivery before it is stored or handled, where the document says whether it may be: its secret has a label,
 * or it may be too old. Without a label, a document that is invalid is left to whoever handles it.
 *
 * @throws WebhookError `SIGNATURE_MISMATCH` if the label does not fit, or `DOCUMENT_INVALID`.
 */
export function parseEarly(delivery: Delivery, maxAgeMs: number): Document | undefined {
  if (labelsOf(delivery).length > 0) {
    const document = parseDocument(delivery)
    checkLabels(delivery, document)
    return document
  }
  if (maxAgeMs === Number.POSITIVE_INFINITY) return undefined
  try {
    return parseDocument(delivery)
  } catch {
    return undefined
  }
}

/** Whether a delivery is of a version of its resource that is older than `maxAgeMs`. One without a version is not. */
export function isOlderThan(maxAgeMs: number, { receivedAt }: Delivery, { data }: Document): boolean {
  const updatedAt = data.attributes?.updated_at
  return typeof updatedAt === 'string' && receivedAt.getTime() - Date.parse(updatedAt) > maxAgeMs
}
