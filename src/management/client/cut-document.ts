import { ManagementError } from './errors.ts'

/**
 * How often the SDK may compare a link with an included resource: it searches them one by one. A page of 25 events with
 * 25 calls each needs 390,625 comparisons.
 */
const MAX_COMPARISONS = 10_000_000

/**
 * Cuts an answer to what our requests ask for: relationships of the primary resources. The SDK follows those of
 * included resources too, and each as often as it is met: thirty resources with two links each would keep it busy for
 * hours.
 *
 * @throws ManagementError `RESPONSE_INVALID` for more links and included resources than a page can have.
 */
export function cutDocument(body: unknown): unknown {
  const { data, included } = Object(body)
  if (!Array.isArray(included)) return body
  const links = [data].flat().reduce((count, resource) => count + countLinks(resource), 0)
  if (links * included.length > MAX_COMPARISONS) throw new ManagementError('RESPONSE_INVALID')
  return { ...Object(body), included: included.map((resource) => ({ ...Object(resource), relationships: undefined })) }
}

function countLinks(resource: unknown): number {
  const relationships = Object.values(Object(Object(resource).relationships))
  return relationships.reduce<number>((count, one) => count + [Object(one).data].flat().length, 0)
}
