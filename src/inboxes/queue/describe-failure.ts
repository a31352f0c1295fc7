import { type Failure, toFailure } from '../../core/inbox/inbox.ts'
import type { ResourceReference } from '../../core/inbox/listing.ts'
import { maskText } from '../../core/mask-text.ts'
import { parseRecord, toRecord, toReference } from './stored-failure.ts'

/**
 * What a dead letter keeps of a failure. Handlers quote personal data in their errors, so they are masked, unless
 * `causes` is `full`.
 */
export function describeFailure(thrown: unknown, causes: 'masked' | 'full'): Failure {
  const failure = toFailure(thrown)
  if (causes === 'full') return failure
  const { message, cause } = failure
  return { ...failure, message: maskText(message), ...(cause !== undefined && { cause: maskText(cause) }) }
}

/** The resource of a stored document, with the number of an order; `undefined` if the document cannot be read. */
export function readResource(body: Uint8Array): ResourceReference | undefined {
  const { type, id, attributes } = toRecord(parseRecord(Buffer.from(body)).data)
  return toReference({ type, id, number: toRecord(attributes).number })
}
