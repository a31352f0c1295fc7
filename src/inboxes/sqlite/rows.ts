import { isUtf8 } from 'node:buffer'
import type { DeadLetter } from '../../core/inbox/inbox.ts'
import type { DeliveryState } from '../../core/inbox/listing.ts'
import { decompressBody } from '../queue/compressed-body.ts'
import { type AttemptFailure, BODY_DAMAGED, type DeliveryRecord, type ScannedDelivery } from '../queue/queue.ts'
import { parseRecord, readFailure } from '../queue/stored-failure.ts'

/** `ArrayBuffer` with libsql. */
export type Bytes = Uint8Array | ArrayBuffer

interface Row {
  readonly seq: string
  readonly id: Bytes
  readonly topic: Bytes
  readonly received_at: number
  readonly grp: Bytes | null
  readonly attempts: number
  readonly signature: Bytes | null
  readonly traceparent: Bytes | null
}

export interface DeliveryRow extends Row {
  /** Null if the row of the body was lost, or if it is larger than any that was stored. */
  readonly body: Bytes | null
}

export interface OpenRow extends DeliveryRow {
  readonly losses: number
  readonly is_lost: number
}

/** Of the last attempt that failed. */
interface FailureColumns {
  readonly code: Bytes
  readonly message: Bytes | null
  readonly details: Bytes | null
}

export interface DeadRow extends Row, FailureColumns {
  readonly due_at: number
}

/** What tells the state of a row. */
export interface StateColumns {
  readonly state: number
  readonly is_leased: number
  readonly due_at: number
}

export interface ScannedRow extends Omit<DeadRow, 'code'>, StateColumns {
  /** Null until an attempt has failed. */
  readonly code: Bytes | null
}

export function toDeliveryRecord({ id, topic, received_at, grp, body, ...row }: DeliveryRow): DeliveryRecord {
  const packed = toBuffer(body)
  const whole = decompressBody(packed)
  const delivery = {
    id: toText(id),
    topic: toText(topic),
    body: whole ?? packed,
    receivedAt: toDate(received_at),
    group: grp === null ? undefined : toText(grp),
    ...(row.signature !== null && { signature: toText(row.signature) }),
    ...(row.traceparent !== null && { traceparent: toText(row.traceparent) }),
  }
  return { delivery, isDamaged: whole === undefined || !isTime(received_at) || !hasValidId({ id }) }
}

/** The raw ids of dead letters that were listed. They say where the next page starts. */
const rawIds = new WeakMap<DeadLetter, Buffer>()

function toFailure({ code, message, details }: FailureColumns): AttemptFailure {
  const { resource, maxAttempts, ...others } = details === null ? {} : parseRecord(toText(details))
  const text = message === null ? BODY_DAMAGED.message : toText(message)
  const error = { ...others, code: toText(code), message: text }
  return readFailure({ error, resource, maxAttempts }) ?? { error: BODY_DAMAGED }
}

export function toDeadLetter({ id, topic, received_at, due_at, attempts, ...row }: DeadRow): DeadLetter {
  const deadLetter = {
    id: toText(id),
    topic: toText(topic),
    receivedAt: toDate(received_at),
    failedAt: toDate(due_at),
    attempts,
    ...toFailure(row),
  }
  rawIds.set(deadLetter, toBuffer(id))
  return deadLetter
}

export function toScanned(row: ScannedRow, now: number): ScannedDelivery {
  const state = findState(row, now)
  const { code, message, details } = row
  return {
    id: toText(row.id),
    topic: toText(row.topic),
    state,
    receivedAt: toDate(row.received_at),
    attempts: row.attempts,
    ...(state === 'failed' && { nextAttemptAt: toDate(row.due_at) }),
    ...(state === 'dead' && { failedAt: toDate(row.due_at) }),
    ...(code !== null && toFailure({ code, message, details })),
  }
}

/** Of a row that was not handled. */
export function findState({ state, is_leased, due_at }: StateColumns, now: number): DeliveryState {
  if (state === 2) return 'dead'
  if (state === 4) return 'unhandled'
  if (state === 1 || due_at <= now) return 'queued'
  return is_leased === 1 ? 'running' : 'failed'
}

export function findRawId(deadLetter: DeadLetter): Buffer {
  return rawIds.get(deadLetter) ?? Buffer.from(deadLetter.id)
}

/** Whether the id is text. Another one could not be given to {@link DeadLetter} and found again. */
export function hasValidId({ id }: Pick<Row, 'id'>): boolean {
  return isUtf8(toBuffer(id))
}

/** A table that is not STRICT could hold anything. */
export function toBuffer(value: unknown): Buffer {
  return value instanceof Uint8Array || value instanceof ArrayBuffer
    ? Buffer.from(value as ArrayBuffer)
    : Buffer.alloc(0)
}

export function toText(bytes: Bytes): string {
  return toBuffer(bytes).toString()
}

/** The epoch for a time that is none. */
export function toDate(time: number): Date {
  return new Date(isTime(time) ? time : 0)
}

function isTime(time: number): boolean {
  return !Number.isNaN(new Date(time).getTime())
}

export function readSeqs(rows: readonly unknown[]): readonly string[] {
  return rows.map((row) => (row as { readonly seq: string }).seq)
}

/** As bytes: a topic may be damaged. */
export function readTopics(rows: readonly unknown[]): readonly Buffer[] {
  return rows.map((row) => toBuffer((row as { readonly topic: Bytes }).topic))
}
