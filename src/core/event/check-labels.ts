import { WebhookError } from '../errors.ts'
import type { SecretLabel } from '../verify/check-secret.ts'
import { type Delivery, labelsOf } from '../verify/delivery.ts'
import { type Document, readTenant } from './document.ts'

/**
 * Checks that a document is of the organization and the mode of the secret that has signed it. A document without a
 * mode fits both, because not every one says it.
 *
 * @throws WebhookError `SIGNATURE_MISMATCH`.
 */
export function checkLabels(delivery: Delivery, document: Document): void {
  const labels = labelsOf(delivery)
  if (labels.length === 0 || labels.some((label) => fits(label, document))) return
  throw new WebhookError('SIGNATURE_MISMATCH', { hint: 'The secret is of another organization or mode.' })
}

function fits({ organizationId, mode }: SecretLabel, document: Document): boolean {
  const tenant = readTenant(document)
  if (organizationId !== undefined && tenant.organizationId !== organizationId) return false
  return mode === undefined || (tenant.mode ?? mode) === mode
}
