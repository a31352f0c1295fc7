import type { KeptRecord } from '../kept-record.ts'
import { readHeaders } from '../read-headers.ts'

/** Records on their way to another thread. Their bodies are one buffer, which is handed over and given back. */
export interface Batch {
  readonly records: readonly PackedRecord[]
  readonly bodies: ArrayBuffer
  readonly missed: number
}

interface PackedRecord extends KeptRecord {
  /** Of the body in `bodies`. */
  readonly start: number | undefined
}

const MIN_BYTES = 1024 * 1024

/**
 * Packs a batch.
 *
 * @param former the buffer of the last one. It is used again: new memory for each would take longer than all else.
 */
export function packBatch(records: readonly KeptRecord[], missed: number, former?: ArrayBuffer): Batch {
  const needed = records.reduce((sum, { body }) => sum + (body?.byteLength ?? 0), 0)
  const bodies = former && needed <= former.byteLength ? former : new ArrayBuffer(Math.max(needed, MIN_BYTES))
  const bytes = new Uint8Array(bodies)
  let end = 0
  const packed = records.map((kept) => {
    const { body, headers } = kept
    const start = body && end
    if (body) bytes.set(body, end)
    end += body?.byteLength ?? 0
    return { ...kept, body: undefined, headers: readHeaders(headers), start }
  })
  return { records: packed, bodies, missed }
}

/** The records with bodies of their own. */
export function unpackBatch({ records, bodies }: Batch): KeptRecord[] {
  return records.map((packed) => {
    const { start, bodyBytes } = packed
    const body = start === undefined ? undefined : new Uint8Array(bodies, start, bodyBytes).slice()
    return { ...packed, body, start: undefined }
  })
}
