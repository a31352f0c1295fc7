import { setTimeout } from 'node:timers/promises'
import { brotliDecompressSync } from 'node:zlib'
import type { Logger } from '../../core/logger.ts'
import { createSampling } from '../../core/sampling.ts'
import { type OpenDatabase, prepare } from '../../sqlite/database.ts'
import { findDriver } from '../../sqlite/driver.ts'
import { openDatabase } from '../../sqlite/open.ts'
import { inTransaction } from '../../sqlite/transaction.ts'
import { type CheckedQuery, checkQuery, checkReference, checkStatisticsQuery, toId, toNumber } from '../check-query.ts'
import { countRecords } from '../count-records.ts'
import type { DeliveryRecord, RecordDetails } from '../record.ts'
import type { RecordListener, Records } from '../records.ts'
import { TABLES } from './tables.ts'
import { toResourceTerm, toWantedTerms } from './terms.ts'
import { createWriteQueue, type WriteQueue } from './write-queue.ts'

export interface FileOptions {
  readonly max: number
  readonly maxBytes: number
  readonly allow: readonly string[]
  /** A text, or what reads it from a file. */
  readonly key: string | (() => string)
}

/** How long a reader waits for records that are being written: another process may have locked the file. */
const SETTLE_MS = 1000
/** How often a file is looked at for new records, while somebody listens. */
const POLL_MS = 250
/** How many new records a listener is given at once. */
const MAX_NEW = 500
/** A body is stored compressed. It was no larger than this when it was written. */
const MAX_BODY_BYTES = 64 * 1024 * 1024

/** An open file, with the key of its email addresses. */
interface OpenFile {
  readonly opened: OpenDatabase
  readonly key: string
}

/** @throws Error if there is no SQLite driver. */
export function createFileRecords(file: string, options: FileOptions, logger: Logger): Records {
  findDriver()
  const warnings = createSampling()
  let open: OpenFile | undefined
  let queue: WriteQueue | undefined
  let isClosed = false

  function warn(cause: unknown): void {
    const message = `The recorder cannot use ${file}. Deliveries are not affected, but they are not recorded there.`
    if (warnings.count('') > 0) logger.warn(message, { cause })
  }

  /** A file that could not be used is tried again. */
  function openOnce(): OpenFile {
    if (isClosed) throw new Error('The recorder is closed.')
    const { key } = options
    open ??= { opened: openDatabase({ file }, TABLES), key: typeof key === 'string' ? key : key() }
    return open
  }

  function findQueue(): WriteQueue {
    const { key } = openOnce()
    queue ??= createWriteQueue({ ...options, file, key }, warn)
    return queue
  }

  function read(): OpenFile {
    const failure = queue?.failure()
    if (failure) throw new Error(`The recorder cannot write to ${file}. ${failure.message}`, { cause: failure })
    return openOnce()
  }

  /** Waits for what was recorded until now. */
  async function settle(): Promise<void> {
    await Promise.race([queue?.flush(), setTimeout(SETTLE_MS, undefined, { ref: false })])
  }

  async function close(): Promise<void> {
    for (const stop of pollings) stop()
    isClosed = true
    await queue?.close()
    await open?.opened.close()
  }

  let closing: Promise<void> | undefined
  let missedUnopened = 0
  try {
    openOnce()
  } catch (cause) {
    warn(cause)
  }
  const pollings = new Set<() => void>()

  return {
    add(kept) {
      try {
        findQueue().add(kept)
      } catch (cause) {
        missedUnopened += 1
        warn(cause)
      }
    },
    async list(query) {
      const checked = checkQuery(query)
      await settle()
      const { opened, key } = read()
      const { where, values } = toConditions(checked, key)
      const rows = prepare(
        opened.database,
        `SELECT ${COLUMNS} FROM hooklayer_records ${where} ORDER BY seq DESC LIMIT ${checked.limit + 1}`,
      ).all(...values) as readonly Row[]
      return { records: rows.slice(0, checked.limit).map(toRecord), hasMore: rows.length > checked.limit }
    },
    async get(id) {
      await settle()
      const { database } = read().opened
      const row = prepare(database, `SELECT ${COLUMNS} FROM hooklayer_records WHERE seq = ?`).get(toNumber(id) ?? -1)
      const kept = prepare(database, 'SELECT details, body FROM hooklayer_record_details WHERE seq = ?')
      const details = kept.get(toNumber(id) ?? -1)
      return row && details ? toDetails(row as Row, details as Details) : undefined
    },
    async statistics(query) {
      checkStatisticsQuery(query)
      await settle()
      const { database } = read().opened
      const rows = prepare(
        database,
        'SELECT received_at, outcome, code, handler_ms FROM hooklayer_records WHERE received_at >= ?',
      ).all(query.since.getTime()) as readonly CountedRow[]
      const { records } = prepare(database, 'SELECT count(*) AS records FROM hooklayer_records').get() as CountRow
      const { missed } = prepare(database, 'SELECT missed FROM hooklayer_records_missed').get() as CountRow
      const own = (queue?.missed() ?? 0) + missedUnopened
      return { spans: countRecords(rows.map(toCounted), query), missed: Number(missed) + own, records: Number(records) }
    },
    subscribe(listener) {
      const stop = poll(openOnce, listener)
      pollings.add(stop)
      return () => {
        stop()
        pollings.delete(stop)
      }
    },
    async erase(resource) {
      checkReference(resource)
      await queue?.flush()
      const { opened } = read()
      const { database } = opened
      const term = toResourceTerm(resource)
      const WITH_TERM = 'SELECT seq FROM hooklayer_record_details WHERE instr(terms, ?) > 0'
      return inTransaction(opened, () => {
        const erased = prepare(database, `DELETE FROM hooklayer_records WHERE seq IN (${WITH_TERM})`).run(term)
        prepare(database, `DELETE FROM hooklayer_record_details WHERE instr(terms, ?) > 0`).run(term)
        return Number(erased.changes)
      })
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}

/** Looks for new records, as long as somebody listens. */
function poll(openOnce: () => OpenFile, listener: RecordListener): () => void {
  let last: number | undefined
  function look(): void {
    try {
      const { database } = openOnce().opened
      last ??= Number((prepare(database, 'SELECT max(seq) AS last FROM hooklayer_records').get() as LastRow).last ?? 0)
      const rows = prepare(
        database,
        `SELECT ${COLUMNS} FROM hooklayer_records WHERE seq > ? ORDER BY seq LIMIT ${MAX_NEW}`,
      ).all(last) as readonly Row[]
      if (rows.length === 0) return
      last = Number(rows.at(-1)?.seq)
      listener(rows.map(toRecord))
    } catch {
      // `list` says what is wrong.
    }
  }
  look()
  const timer = setInterval(look, POLL_MS)
  timer.unref()
  return () => clearInterval(timer)
}

const COLUMNS = 'seq, received_at, source, outcome, topic, delivery_id, record'

interface Row {
  readonly seq: number | bigint
  readonly received_at: number | bigint
  readonly source: DeliveryRecord['source']
  readonly outcome: DeliveryRecord['outcome']
  readonly topic: string | null
  readonly delivery_id: string | null
  readonly record: string
}

interface Details {
  readonly details: string
  readonly body: Uint8Array | null
}

interface CountedRow extends Pick<Row, 'outcome' | 'received_at'> {
  readonly code: string | null
  readonly handler_ms: string
}

interface CountRow {
  readonly records?: number | bigint
  readonly missed?: number | bigint
}

interface LastRow {
  readonly last: number | bigint | null
}

/** What JSON leaves out. */
const UNDEFINED = {
  ...{ resource: undefined, organizationId: undefined, mode: undefined, error: undefined, status: undefined },
  ...{ bodyBytes: undefined, attempt: undefined, attempts: undefined },
}

function toRecord({ seq, received_at: receivedAt, source, outcome, topic, delivery_id: deliveryId, record }: Row) {
  const ids = { id: toId(Number(seq)), receivedAt: new Date(Number(receivedAt)) }
  const columns = { source, outcome, topic: topic ?? undefined, deliveryId: deliveryId ?? undefined }
  return { ...ids, ...columns, ...UNDEFINED, ...JSON.parse(record) } as DeliveryRecord
}

function toDetails(row: Row, { details, body }: Details): RecordDetails {
  const others = { eventId: undefined, method: undefined, difference: undefined, ...JSON.parse(details) }
  const unpacked = body ? brotliDecompressSync(body, { maxOutputLength: MAX_BODY_BYTES }) : undefined
  return { ...toRecord(row), ...others, body: unpacked && new Uint8Array(unpacked), isMasked: true }
}

function toCounted({ received_at: receivedAt, outcome, code, handler_ms: times }: CountedRow) {
  const handlerMs = times === '' ? [] : times.split(',').map(Number)
  return { receivedAt: Number(receivedAt), outcome, code: code ?? undefined, handlerMs }
}

interface Conditions {
  readonly where: string
  readonly values: readonly (string | number)[]
}

function toConditions(query: CheckedQuery, key: string): Conditions {
  const { topic, outcomes, code, source, since, until, deliveryId, search, before } = query
  const terms = search === undefined ? [] : toWantedTerms(search, key)
  const hasTerm = terms.map(() => 'instr(lower(terms), ?) > 0').join(' OR ')
  const conditions: readonly (readonly [condition: string, values: readonly (string | number | undefined)[]])[] = [
    ['seq < ?', [Number.isFinite(before) ? before : undefined]],
    ['topic = ?', [topic]],
    [`outcome IN (${outcomes?.map(() => '?').join(', ')})`, outcomes ?? [undefined]],
    ['code = ?', [code]],
    ['source = ?', [source]],
    ['received_at >= ?', [since?.getTime()]],
    ['received_at < ?', [until?.getTime()]],
    ['delivery_id = ?', [deliveryId]],
    [`seq IN (SELECT seq FROM hooklayer_record_details WHERE ${hasTerm})`, search === undefined ? [undefined] : terms],
  ]
  const given = conditions.flatMap(([condition, values]) => {
    const known = values.filter((value) => value !== undefined)
    return known.length < values.length ? [] : [{ condition, known }]
  })
  const where = given.length === 0 ? '' : `WHERE ${given.map(({ condition }) => condition).join(' AND ')}`
  return { where, values: given.flatMap(({ known }) => known) }
}
