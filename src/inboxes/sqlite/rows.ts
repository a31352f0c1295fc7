import { isUtf8 } from 'node:buffer'
import type { DeadLetter } from '../../core/inbox/inbox.ts'
import { decompressBody } from '../queue/compressed-body.ts'
import { BODY_DAMAGED, type DeliveryRecord } from '../queue/queue.ts'
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
}

export interface DeliveryRow extends Row {
  /** Null if the row of the body was lost, or if it is larger than any that was stored. */
  readonly body: Bytes | null
}

export interface OpenRow extends DeliveryRow {
  readonly losses: number
  readonly is_lost: number
}

export interface DeadRow extends Row {
  readonly due_at: number
  readonly code: Bytes
  readonly message: Bytes | null
  readonly details: Bytes | null
}

export function toDeliveryRecord({ id, topic, received_at, grp, signature, body }: DeliveryRow): DeliveryRecord {
  const packed = toBuffer(body)
  const whole = decompressBody(packed)
  const delivery = {
    id: toText(id),
    topic: toText(topic),
    body: whole ?? packed,
    receivedAt: toDate(received_at),
    group: grp === null ? undefined : toText(grp),
    ...(signature !== null && { signature: toText(signature) }),
  }
  return { delivery, isDamaged: whole === undefined || !isTime(received_at) || !hasValidId({ id }) }
}

/** The raw ids of dead letters that were listed. They say where the next page starts. */
const rawIds = new WeakMap<DeadLetter, Buffer>()

export function toDeadLetter({ id, topic, received_at, due_at, attempts, details, ...row }: DeadRow): DeadLetter {
  const { resource, ...others } = details === null ? {} : parseRecord(toText(details))
  const message = row.message === null ? BODY_DAMAGED.message : toText(row.message)
  const error = { ...others, code: toText(row.code), message }
  const deadLetter = {
    id: toText(id),
    topic: toText(topic),
    receivedAt: toDate(received_at),
    failedAt: toDate(due_at),
    attempts,
    ...(readFailure({ error, resource }) ?? { error: BODY_DAMAGED }),
  }
  rawIds.set(deadLetter, toBuffer(id))
  return deadLetter
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
