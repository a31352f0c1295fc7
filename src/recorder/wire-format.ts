import { type KeptRecord, readStages } from './kept-record.ts'
import { toBuffer, toObject } from './read-document.ts'
import { readHeaders } from './read-headers.ts'
import type { NewRecord } from './record.ts'

/** Writes a record as JSON, with its body in base64. It is not masked. */
export function writeRecord(kept: KeptRecord): string {
  const { body, headers, difference, marks, endedAt, isIdentified, ...others } = kept
  return JSON.stringify({
    ...others,
    headers: readHeaders(headers),
    stages: readStages(kept),
    difference: difference?.full,
    ...(body && { body: toBuffer(body).toString('base64') }),
  })
}

/**
 * Reads what a recorder sends to `HOOKLAYER_RECORDER_URL`: JSON, one record a line.
 *
 * @throws TypeError if a line is not a record.
 * @example
 * for (const record of readRecords(await request.text())) recorder.add(record)
 */
export function readRecords(text: string): NewRecord[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(readRecord)
}

function readRecord(line: string): NewRecord {
  const { receivedAt, body, ...others } = parse(line)
  const { source, outcome, headers = [], stages = [], handlers = [] } = others
  const isRecord =
    [source, outcome].every((value) => typeof value === 'string') &&
    Number.isFinite(receivedAt) &&
    (body === undefined || typeof body === 'string') &&
    [headers, stages, handlers].every((list) => Array.isArray(list))
  if (!isRecord) throw new TypeError('This is not a record of a recorder.')
  return {
    ...(others as unknown as NewRecord),
    receivedAt: new Date(Number(receivedAt)),
    body: typeof body === 'string' ? new Uint8Array(Buffer.from(body, 'base64')) : undefined,
  }
}

function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    return toObject(JSON.parse(line))
  } catch {
    throw new TypeError('This is not a record of a recorder: it is no JSON.')
  }
}
