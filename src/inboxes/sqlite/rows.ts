import type { DeadLetter, DeadLetterFilter, InboxStatistics, StoredDelivery } from '../../core/inbox/inbox.ts'
import { decompressBody } from '../queue/compressed-body.ts'
import type { DeliveryRecord } from '../queue/queue.ts'
import type { Statements } from './statements.ts'

interface DeliveryRow {
  readonly seq: number
  readonly id: string
  readonly topic: string
  readonly received_at: number
  readonly grp: string | null
  /** libsql gives the one or the other; null if the damage to a file is such that it is not found. */
  readonly body: Uint8Array | ArrayBuffer | null
}

export interface OpenRow extends DeliveryRow {
  readonly attempts: number
  readonly token: string | null
}

/** What is not open any more. */
export type RemovedRow = Pick<DeliveryRow, 'seq' | 'grp'>

interface DeadRow extends Omit<DeliveryRow, 'seq' | 'grp' | 'body'> {
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

function toDeadLetter({ id, topic, received_at, due_at, attempts, code, message }: DeadRow): DeadLetter {
  const receivedAt = new Date(received_at)
  return { id, topic, receivedAt, failedAt: new Date(due_at), attempts, error: { code, message } }
}

export function readDeadLetter(sql: Statements, id: string): (DeadLetter & { delivery: StoredDelivery }) | undefined {
  const row = sql.letter.get(id) as (DeadRow & DeliveryRow) | undefined
  return row && { ...toDeadLetter(row), delivery: toDeliveryRecord(row).delivery }
}

export function readDeadLetters(sql: Statements, filter: DeadLetterFilter, last: DeadLetter | undefined): DeadLetter[] {
  const { topic = null, code = null } = filter
  const since = filter.failedSince?.getTime() ?? 0
  const until = filter.failedUntil?.getTime() ?? Number.MAX_SAFE_INTEGER
  const rows = sql.dead.all(since, until, last?.failedAt.getTime() ?? 0, last?.id ?? '', topic, code)
  return rows.map((row) => toDeadLetter(row as DeadRow))
}

export function readStatistics(sql: Statements): InboxStatistics {
  const now = Date.now()
  const { queued, running, failed, dead, oldest } = sql.statistics.get(now, now, now) as Counts
  return { queued, running, failed, dead, oldest: oldest === null ? undefined : new Date(oldest) }
}

type Counts = Omit<InboxStatistics, 'oldest'> & { readonly oldest: number | null }
