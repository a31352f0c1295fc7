import type { KeptRecord } from '../kept-record.ts'
import { readHeaders } from '../read-headers.ts'

/** Records on their way to another thread: their bodies are one buffer, which is handed over and not copied again. */
export interface Batch {
  readonly records: readonly PackedRecord[]
  readonly bodies: ArrayBuffer
  readonly missed: number
}

interface PackedRecord extends Omit<KeptRecord, 'body'> {
  /** Of the body in `bodies`. */
  readonly start: number | undefined
}

export function packBatch(records: readonly KeptRecord[], missed: number): Batch {
  const bytes = new Uint8Array(records.reduce((sum, { body }) => sum + (body?.byteLength ?? 0), 0))
  let end = 0
  const packed = records.map(({ body, headers, ...others }) => {
    const start = body && end
    if (body) bytes.set(body, end)
    end += body?.byteLength ?? 0
    return { ...others, headers: readHeaders(headers), start }
  })
  return { records: packed, bodies: bytes.buffer, missed }
}

export function unpackBatch({ records, bodies }: Batch): KeptRecord[] {
  return records.map(({ start, ...others }) => {
    const body = start === undefined ? undefined : new Uint8Array(bodies, start, others.bodyBytes)
    return { ...others, body }
  })
}
