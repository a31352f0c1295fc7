import { type Failure, toFailure } from '../../core/inbox/inbox.ts'
import type { ResourceReference } from '../../core/inbox/listing.ts'
import { parseRecord, toRecord, toReference } from './stored-failure.ts'

const WORD = /[^\s<>"'(),:;=]+/g
const QUERY = /\?[\w.-]{1,50}=[^\s"'<>]*/g
/** Keys, signatures and ids of sessions: letters and digits mixed. */
const TOKEN = /\b(?=[\w+/=-]*\d)(?=[\w+/=-]*[a-z])[\w+/=-]{20,}/gi
/** Numbers of telephones, cards and accounts. */
const LONG_NUMBER = /\+?\d(?:[ ()./-]{0,2}\d){6,}/g

/**
 * What a dead letter keeps of a failure. Handlers quote personal data in their errors, so what looks like an address, a
 * long number, a token or a query is replaced with `…`, unless `causes` is `full`. Names of people are not recognized.
 */
export function describeFailure(thrown: unknown, causes: 'masked' | 'full'): Failure {
  const failure = toFailure(thrown)
  if (causes === 'full') return failure
  const { message, cause } = failure
  return { ...failure, message: maskText(message), ...(cause !== undefined && { cause: maskText(cause) }) }
}

export function maskText(text: string): string {
  const withoutEmails = text.replace(WORD, (word) => {
    if (word.indexOf('@') < 1) return word
    return word.endsWith('.') ? '….' : '…'
  })
  return [QUERY, TOKEN, LONG_NUMBER].reduce((masked, pattern) => masked.replace(pattern, '…'), withoutEmails)
}

/** The resource of a stored document, with the number of an order; `undefined` if the document cannot be read. */
export function readResource(body: Uint8Array): ResourceReference | undefined {
  const { type, id, attributes } = toRecord(parseRecord(Buffer.from(body)).data)
  return toReference({ type, id, number: toRecord(attributes).number })
}
