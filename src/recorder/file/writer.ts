import { setTimeout } from 'node:timers/promises'
import { brotliCompressSync, constants } from 'node:zlib'
import { isLocked, LOCK_RETRY_MS, LOCK_WAIT_MS, type OpenDatabase } from '../../sqlite/database.ts'
import { openDatabase } from '../../sqlite/open.ts'
import { prepareStatements, type Statements } from '../../sqlite/statements.ts'
import { inTransaction } from '../../sqlite/transaction.ts'
import { identify, identifyEvent, type KeptRecord, readStages, toRecord } from '../kept-record.ts'
import { createMask, maskDetails } from '../mask-record.ts'
import { parseBody } from '../read-document.ts'
import { readHeaders } from '../read-headers.ts'
import { TABLES } from './tables.ts'
import { toTerms } from './terms.ts'

export interface WriterOptions {
  readonly file: string
  readonly max: number
  /** Of the bodies, as they are stored. */
  readonly maxBytes: number
  readonly allow: readonly string[]
  readonly key: string
}

/** Masks records and writes them. It runs in a thread of its own where that can be started. */
export interface Writer {
  /** @throws Error if they could not be written. */
  write(records: readonly KeptRecord[], missed: number): Promise<void>
  close(): Promise<void>
}

/** Refused requests are counted apart, so that strangers cannot replace genuine deliveries. */
const REFUSED_SHARE = 10
/**
 * Of what a refused request can be found by. One with more is kept without its document: terms are not in `maxBytes`.
 */
const MAX_REFUSED_TERMS = 16 * 1024
/** How many bodies are dropped at once, when there are too many bytes. */
const DROPPED_BODIES = 16

const FASTEST = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MIN_QUALITY } }

const OLD = 'seq < (SELECT seq FROM hooklayer_records WHERE refused = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)'
const STATEMENTS = {
  insert: `INSERT INTO hooklayer_records
    (received_at, refused, body_bytes, source, outcome, topic, code, delivery_id, handler_ms, record)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  insertDetails: 'INSERT INTO hooklayer_record_details (seq, terms, details, body) VALUES (?, ?, ?, ?)',
  deleteOld: `DELETE FROM hooklayer_records WHERE refused = ? AND ${OLD}`,
  deleteOldDetails: `DELETE FROM hooklayer_record_details WHERE seq IN
    (SELECT seq FROM hooklayer_records WHERE refused = ? AND ${OLD})`,
  countBytes: 'SELECT CAST(total(body_bytes) AS INTEGER) AS bytes FROM hooklayer_records WHERE refused = ?',
  findBodies: 'SELECT seq FROM hooklayer_records WHERE refused = ? AND body_bytes > 0 ORDER BY seq LIMIT ?',
  dropBody: 'UPDATE hooklayer_record_details SET body = NULL WHERE seq = ?',
  dropBytes: 'UPDATE hooklayer_records SET body_bytes = 0 WHERE seq = ?',
  addMissed: 'UPDATE hooklayer_records_missed SET missed = missed + ?',
} as const

type WriterStatements = Statements<keyof typeof STATEMENTS>

/** @throws Error if the file cannot be used. */
export function openWriter({ file, max, maxBytes, allow, key }: WriterOptions): Writer {
  const opened = openDatabase({ file }, TABLES)
  const sql = prepareStatements(opened.database, STATEMENTS)
  return {
    async write(records, missed) {
      const rows: Row[] = []
      let unreadable = 0
      for (const kept of records) {
        try {
          rows.push(await toRow(kept, allow, key))
        } catch {
          unreadable += 1 // The others of the batch are written all the same.
        }
      }
      await retryWhileLocked(opened, () => {
        for (const row of rows) insert(sql, row)
        if (missed + unreadable > 0) sql.addMissed.run(missed + unreadable)
        for (const [refused, share] of [
          [0, 1],
          [1, REFUSED_SHARE],
        ] as const) {
          const last = Math.ceil(max / share) - 1
          sql.deleteOldDetails.run(refused, refused, last)
          sql.deleteOld.run(refused, refused, last)
          dropBodies(sql, refused, maxBytes / share)
        }
      })
    },
    close: opened.close,
  }
}

interface Row {
  readonly columns: readonly (string | number | null)[]
  readonly terms: string
  readonly details: string
  readonly body: Buffer | null
}

/** Masks a record. What is masked never leaves this function. */
async function toRow(kept: KeptRecord, allow: readonly string[], key: string): Promise<Row> {
  const parsed = kept.body && parseBody(kept.body)
  const isRefused = kept.outcome === 'refused'
  identify(kept, parsed)
  await identifyEvent(kept, parsed)
  const found = toTerms(parsed, isRefused ? [] : [kept.deliveryId, kept.eventId], key)
  const isOver = isRefused && found.length > MAX_REFUSED_TERMS
  const [document, terms] = isOver ? [undefined, ''] : [parsed, found]
  const { eventId, method, handlers, body, difference } = kept
  const stages = readStages(kept)
  const unmasked = { ...toRecord('', kept), eventId, method, stages, handlers, body, isMasked: false }
  const mask = createMask(() => document, allow)
  const masked = maskDetails({ ...unmasked, headers: readHeaders(kept.headers) }, difference, mask)
  const { id, receivedAt, source, outcome, topic, deliveryId, body: maskedBody, ...rest } = masked
  const { eventId: _, method: ownMethod, headers, stages: ownStages, handlers: ownHandlers, ...others } = rest
  const { difference: ownDifference, isMasked, ...row } = others
  const details = { eventId, method: ownMethod, headers, stages: ownStages, handlers: ownHandlers }
  const packed = maskedBody ? brotliCompressSync(maskedBody, FASTEST) : null
  const columns = [
    ...[receivedAt.getTime(), isRefused ? 1 : 0, packed?.byteLength ?? 0, source, outcome],
    ...[topic ?? null, masked.error?.code ?? null, deliveryId ?? null],
    ...[handlers.map(({ durationMs }) => durationMs).join(','), JSON.stringify(row)],
  ]
  return {
    columns,
    terms,
    details: JSON.stringify({ ...details, difference: ownDifference }),
    body: packed,
  }
}

function insert(sql: WriterStatements, { columns, terms, details, body }: Row): void {
  const { lastInsertRowid: seq } = sql.insert.run(...columns)
  sql.insertDetails.run(seq, terms, details, body)
}

function dropBodies(sql: WriterStatements, refused: number, maxBytes: number): void {
  const readBytes = () => (sql.countBytes.get(refused) as { readonly bytes: number }).bytes
  while (readBytes() > maxBytes) {
    for (const { seq } of sql.findBodies.all(refused, DROPPED_BODIES) as readonly { readonly seq: number }[]) {
      sql.dropBody.run(seq)
      sql.dropBytes.run(seq)
    }
  }
}

/** Other processes may have locked the file. */
async function retryWhileLocked(opened: OpenDatabase, work: () => void): Promise<void> {
  const end = performance.now() + LOCK_WAIT_MS
  for (;;) {
    try {
      inTransaction(opened, work, 'soon')
      return
    } catch (error) {
      if (!isLocked(error) || performance.now() > end) throw error
    }
    await setTimeout(LOCK_RETRY_MS)
  }
}
