import { type InboxLimits, type LeaseRequest, NO_HANDLER } from '../queue/queue.ts'
import { toBuffer } from './rows.ts'
import type { InboxStatements } from './statements.ts'

/** What is to be reported of a topic without a handler: the arguments of `onUnhandled`. */
export type UnhandledReport = Parameters<LeaseRequest['onUnhandled']>

export interface SortedTopics {
  /** The topics of open deliveries that this worker has no handler for. */
  readonly unhandled: readonly string[]
  readonly reports: readonly UnhandledReport[]
}

/** The most deliveries of a topic that one transaction sets aside or ends: each takes about 20 µs. */
const BATCH = 200

/**
 * Sets deliveries aside that this worker has no handler for, and ends those that have waited for one for too long, or
 * are too many. Opens others again that it has a handler for. To be run in a transaction.
 */
export function sortByHandler(
  sql: InboxStatements,
  request: LeaseRequest,
  limits: Pick<InboxLimits, 'maxUnhandled' | 'unhandledMs'>,
): SortedTopics {
  const unhandled: string[] = []
  const reports: UnhandledReport[] = []
  for (const topic of readTopics(sql.openTopics)) {
    const name = topic.toString()
    if (request.isHandled(name)) continue
    unhandled.push(name)
    if (setAside(sql, topic) > 0) reports.push([name, 0])
  }
  for (const topic of readTopics(sql.unhandledTopics)) {
    const name = topic.toString()
    if (request.isHandled(name)) reopen(sql, topic, request.capacityByTopic.get(name) ?? request.capacity)
    else {
      const dead = endOld(sql, topic, limits)
      if (dead > 0) reports.push([name, dead])
    }
  }
  return { unhandled, reports }
}

function setAside(sql: InboxStatements, topic: Buffer): number {
  const now = Date.now()
  const rows = readSeqs(sql.findOverlooked.all(topic, now, topic, now, BATCH))
  for (const seq of rows) {
    sql.setAside.run(now, seq)
    sql.openNext.run(seq)
  }
  return rows.length
}

/** Behind another one of its group, if that is open by now. */
function reopen(sql: InboxStatements, topic: Buffer, limit: number): void {
  for (const seq of readSeqs(sql.findUnhandled.all(topic, Math.max(0, limit)))) sql.reopen.run(seq)
}

function endOld(
  sql: InboxStatements,
  topic: Buffer,
  { maxUnhandled, unhandledMs }: Pick<InboxLimits, 'maxUnhandled' | 'unhandledMs'>,
): number {
  const now = Date.now()
  const old = readSeqs(sql.findExpired.all(topic, now - unhandledMs, BATCH))
  const seqs = old.length > 0 ? old : readSeqs(sql.findExcess.all(topic, BATCH, maxUnhandled))
  for (const seq of seqs) sql.endUnhandled.run(now, NO_HANDLER.code, NO_HANDLER.message, seq)
  return seqs.length
}

function readTopics(statement: InboxStatements['openTopics']): readonly Buffer[] {
  return statement.all().map((row) => toBuffer((row as { readonly topic: unknown }).topic))
}

function readSeqs(rows: readonly unknown[]): readonly string[] {
  return rows.map((row) => (row as { readonly seq: string }).seq)
}
