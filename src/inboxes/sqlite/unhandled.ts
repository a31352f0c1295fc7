import { type InboxLimits, type LeaseRequest, NO_HANDLER } from '../queue/queue.ts'
import { readSeqs, readTopics } from './rows.ts'
import type { InboxStatements } from './statements.ts'

/** What is to be reported of a topic without a handler: the arguments of `onUnhandled`. */
export type UnhandledReport = Parameters<LeaseRequest['onUnhandled']>

type UnhandledLimits = Pick<InboxLimits, 'maxUnhandled' | 'unhandledMs'>

/** The most deliveries of a topic that one transaction sets aside, opens again or ends: each takes about 20 µs. */
const BATCH = 200
/** How often the topics are looked through for a worker, while it is busy. */
const INTERVAL_MS = 100

/**
 * Prepares a function to be run in the transaction of each lease. It sets deliveries aside that the worker has no
 * handler for, and ends those that have waited for one for too long, or are too many. It opens others again that the
 * worker has a handler for.
 */
export function createSorting(
  sql: InboxStatements,
  limits: UnhandledLimits,
): (request: LeaseRequest) => readonly UnhandledReport[] {
  /** When this was done for each worker. */
  const doneAt = new WeakMap<LeaseRequest['isHandled'], number>()
  return (request) => {
    const now = performance.now()
    if (now - (doneAt.get(request.isHandled) ?? Number.NEGATIVE_INFINITY) < INTERVAL_MS) return []
    doneAt.set(request.isHandled, now)
    return sortByHandler(sql, request.isHandled, limits)
  }
}

function sortByHandler(
  sql: InboxStatements,
  isHandled: LeaseRequest['isHandled'],
  limits: UnhandledLimits,
): readonly UnhandledReport[] {
  const reports: UnhandledReport[] = []
  for (const topic of readTopics(sql.openTopics.all())) {
    const name = topic.toString()
    if (!isHandled(name) && setAside(sql, topic) > 0) reports.push([name, 0])
  }
  for (const topic of readTopics(sql.unhandledTopics.all())) {
    const name = topic.toString()
    if (isHandled(name)) reopen(sql, topic)
    else {
      const dead = endOld(sql, topic, limits)
      if (dead > 0) reports.push([name, dead])
    }
  }
  return reports
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
function reopen(sql: InboxStatements, topic: Buffer): void {
  for (const seq of readSeqs(sql.findUnhandled.all(topic, BATCH))) sql.reopen.run(seq)
}

function endOld(sql: InboxStatements, topic: Buffer, { maxUnhandled, unhandledMs }: UnhandledLimits): number {
  const now = Date.now()
  const old = readSeqs(sql.findExpired.all(topic, now - unhandledMs, BATCH))
  const seqs = old.length > 0 ? old : readSeqs(sql.findExcess.all(topic, BATCH, maxUnhandled))
  for (const seq of seqs) sql.endUnhandled.run(now, NO_HANDLER.code, NO_HANDLER.message, seq)
  return seqs.length
}
