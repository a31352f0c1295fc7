import type { DeadLetter, InboxStatistics } from '../../core/inbox/inbox.ts'
import { decompressBody } from '../queue/compressed-body.ts'
import type { DeliveryRecord } from '../queue/queue.ts'
import type { InboxStatements } from './statements.ts'

export interface DeliveryRow {
  readonly seq: number
  readonly id: string
  readonly topic: string
  readonly received_at: number
  readonly grp: string | null
  /** An `ArrayBuffer` with libsql; null if the row of the body was lost by damage to the file. */
  readonly body: Uint8Array | ArrayBuffer | null
}

export interface OpenRow extends DeliveryRow {
  readonly attempts: number
  readonly token: string | null
}

/** A row that is not open any more. */
export type RemovedRow = Pick<DeliveryRow, 'seq' | 'grp'>

export interface DeadRow extends Omit<DeliveryRow, 'seq' | 'grp' | 'body'> {
  readonly due_at: number
  readonly attempts: number
  readonly code: string
  readonly message: string
}

export function toDeliveryRecord({ id, topic, received_at, grp, body }: DeliveryRow): DeliveryRecord {
  const packed = body ? Buffer.from(body as ArrayBuffer) : Buffer.alloc(0)
  const whole = decompressBody(packed)
  const receivedAt = new Date(received_at)
  const delivery = { id, topic, body: whole ?? packed, receivedAt, group: grp ?? undefined }
  return { delivery, isDamaged: whole === undefined }
}

export function toDeadLetter({ id, topic, received_at, due_at, attempts, code, message }: DeadRow): DeadLetter {
  const receivedAt = new Date(received_at)
  return { id, topic, receivedAt, failedAt: new Date(due_at), attempts, error: { code, message } }
}

/** Deletes a body, and two expired ids for each one that is added, so that deleting never takes long. */
export function forgetBody(sql: InboxStatements, seq: number): void {
  sql.dropBody.run(seq)
  sql.sweep.run(Date.now())
}

export function readStatistics(sql: InboxStatements): InboxStatistics {
  const now = Date.now()
  const { queued, running, failed, dead, oldest } = sql.statistics.get(now, now, now) as Counts
  return { queued, running, failed, dead, oldest: oldest === null ? undefined : new Date(oldest) }
}

type Counts = Omit<InboxStatistics, 'oldest'> & { readonly oldest: number | null }
