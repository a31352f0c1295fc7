import { type ResourceDocument, toDocument } from '../../wire/document.ts'
import { writeDocument } from '../../wire/serialize.ts'
import type { EventRecord } from '../records.ts'

/** What a webhook is sent about an event: made once, and the same bytes for every call. */
export interface Payload {
  /** What the bytes say. It shares `metadata` and the like with the event's resource, which does not change any more. */
  readonly document: ResourceDocument
  readonly body: Uint8Array
}

/** Whose documents they are. */
export interface PayloadOptions {
  readonly mode: 'test' | 'live'
  readonly organizationId: string
}

/** Writes an event for webhooks, once for each list of includes that they have. */
export function createPayloads(
  event: EventRecord,
  options: PayloadOptions,
): (includes: readonly string[] | null) => Payload {
  const payloads = new Map<string, Payload>()
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
  return { document, body: Buffer.from(writeDocument(document)) }
}
