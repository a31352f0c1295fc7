import { type ResourceDocument, toDocument } from '../../wire/document.ts'
import { writeDocument } from '../../wire/serialize.ts'
import { isTooDeep, MAX_DEPTH } from '../depth.ts'
import type { EventRecord } from '../records.ts'

/** The document of an event and its bytes. It is written once, so that every call has the same bytes. */
export interface Payload {
  /**
   * The content of the body. It shares objects such as `metadata` with the resource of the event, which never changes.
   */
  readonly document: ResourceDocument
  readonly body: Uint8Array
}

/** The environment and organization that documents are written for. */
export interface PayloadOptions {
  readonly mode: 'test' | 'live'
  readonly organizationId: string
}

/**
 * Creates a function that writes the payload of an event, once for each list of includes. A given one stays as it is.
 */
export function createPayloadWriter(
  event: EventRecord,
  options: PayloadOptions,
): (includes: readonly string[] | null) => Payload {
  const payloads = new Map<string, Payload>()
  const { payload: given } = event
  if (given) return () => given
  return (includes) => {
    const key = JSON.stringify(includes)
    const payload = payloads.get(key) ?? writePayload(event, includes ?? [], options)
    payloads.set(key, payload)
    return payload
  }
}

function writePayload({ name, resource }: EventRecord, includes: readonly string[], options: PayloadOptions): Payload {
  const document = name.endsWith('.destroy')
    ? toDocument({ id: resource.id, type: resource.type }, { ...options, sparse: true })
    : toDocument(resource, { ...options, include: name.endsWith('.tagged') ? [...includes, 'tags'] : includes })
  if (isTooDeep(document)) throw new TypeError(`The document of the event has more than ${MAX_DEPTH} levels.`)
  return { document, body: Buffer.from(writeDocument(document)) }
}
