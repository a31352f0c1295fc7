import { createHmac } from 'node:crypto'
import type { ResourceReference } from '../../drivers.ts'
import { isFieldName, isIdentifier } from '../allowed-fields.ts'
import { listResources, readEmails, readNumber } from '../read-document.ts'

/** Of a hash. That two addresses of a shop share it is not to be expected. */
const HASH_CHARACTERS = 24

/** What a record can be found by: a text with a line for each. Email addresses are in it as hashes. */
export function toTerms(document: unknown, ids: readonly (string | undefined)[], key: string): string {
  const terms = new Set<string>()
  for (const id of ids) if (id !== undefined) terms.add(`#${id}`)
  for (const resource of listResources(document)) {
    const { type, id } = resource
    if (isFieldName(type) && isIdentifier(id)) terms.add(`${type}/${id}`)
    const number = readNumber(resource)
    if (number !== undefined) terms.add(`=${number}`)
    for (const email of readEmails(resource)) terms.add(`@${hashEmail(email, key)}`)
  }
  return `\n${[...terms].join('\n')}\n`
}

/** Parts of terms, in lower case: a record with one of them is meant. */
export function toWantedTerms(search: string, key: string): string[] {
  const wanted = [`/${search}\n`, `\n=${search}\n`, `\n#${search}\n`]
  return search.includes('@') ? [`\n@${hashEmail(search, key)}\n`] : wanted
}

/** The line of a resource. */
export function toResourceTerm({ type, id }: ResourceReference): string {
  return `\n${type}/${id}\n`
}

/** Not the address itself, and not a hash that anybody could compute from a list of addresses. */
function hashEmail(email: string, key: string): string {
  return createHmac('sha256', key).update(email.trim().toLowerCase()).digest('hex').slice(0, HASH_CHARACTERS)
}
