import type { Delivery } from '../verify/authenticate.ts'
import type { Document } from './document.ts'

/** Whether a delivery is of a version of its resource that is older than `maxAgeMs`. One without a version is not. */
export function isOlderThan(maxAgeMs: number, { receivedAt }: Delivery, { data }: Document): boolean {
  const updatedAt = data.attributes?.updated_at
  return typeof updatedAt === 'string' && receivedAt.getTime() - Date.parse(updatedAt) > maxAgeMs
}
