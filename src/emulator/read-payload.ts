import type { ResourceDocument } from '../wire/document.ts'
import { writeDocument } from '../wire/serialize.ts'
import { isTooDeep, MAX_DEPTH } from './depth.ts'
import type { Payload } from './sender/payload.ts'

/**
 * Reads a document that is sent as it is given: bytes stay the same.
 *
 * @param owner the method that it was given to.
 * @throws TypeError if it is not JSON:API with one resource, or has too many levels.
 */
export function readPayload(
  owner: string,
  given: ResourceDocument | Uint8Array,
): {
  readonly payload: Payload
  readonly resource: { readonly id: string; readonly type: string }
} {
  const document = given instanceof Uint8Array ? parse(owner, given) : given
  const { id, type } = Object(Object(document).data)
  if (typeof id !== 'string' || typeof type !== 'string') throw wrongDocument(owner)
  if (isTooDeep(document)) throw new TypeError(`${owner}: the document has more than ${MAX_DEPTH} levels.`)
  const body = given instanceof Uint8Array ? given : Buffer.from(writeDocument(given))
  return { payload: { document, body }, resource: { id, type } }
}

function wrongDocument(owner: string): TypeError {
  return new TypeError(`${owner}: the document must be JSON:API with one resource, which has a \`type\` and an \`id\`.`)
}

function parse(owner: string, bytes: Uint8Array): ResourceDocument {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    throw wrongDocument(owner)
  }
}
