import type { DeadLetter, DeadLetterFilter } from '../../core/inbox/inbox.ts'
import type { DeliveryQueue, InboxLimits } from '../queue/queue.ts'
import type { GroupCommit } from './group-commit.ts'
import { type DeadRow, type DeliveryRow, findRawId, readSeqs, toDeadLetter, toDeliveryRecord } from './rows.ts'
import type { InboxStatements } from './statements.ts'

export function createDeadLetters(
  sql: InboxStatements,
  { write }: GroupCommit,
  retentionMs: number,
): Pick<DeliveryQueue, 'listDeadLetters' | 'getDeadLetter' | 'retryDeadLetter' | 'discardDeadLetter'> {
  /** False if there is no dead letter with this id. */
  function writeIfDead(id: string, change: (seq: string) => void): Promise<boolean> {
    return write(() => {
      const row = sql.findDead.get(id) as { seq: string } | undefined
      if (row) change(row.seq)
      return row !== undefined
    })
  }

  return {
    listDeadLetters: async (filter, last) => readPage(sql, filter, last),
    async getDeadLetter(id) {
      const row = sql.getDead.get(id) as (DeadRow & DeliveryRow) | undefined
      return row && { ...toDeadLetter(row), delivery: toDeliveryRecord(row).delivery }
    },
    retryDeadLetter: (id) =>
      writeIfDead(id, (seq) => {
        sql.revive.run(Date.now(), id)
        sql.moveBody.run(seq)
      }),
    discardDeadLetter: (id) => writeIfDead(id, (seq) => discard(sql, seq, retentionMs)),
  }
}

/** How many old dead letters are discarded with each lease, so that it never takes long. */
const OLD_AT_ONCE = 32

/** To be run in a transaction: discards dead letters that are past their retention. */
export function discardOld(sql: InboxStatements, { deadLetterRetentionMs, retentionMs }: InboxLimits): void {
  if (deadLetterRetentionMs === undefined) return
  const old = readSeqs(sql.findOldDead.all(Date.now() - deadLetterRetentionMs, OLD_AT_ONCE))
  for (const seq of old) discard(sql, seq, retentionMs)
}

function discard(sql: InboxStatements, seq: string, retentionMs: number): void {
  sql.discard.run(Date.now() + retentionMs, seq)
  sql.dropBody.run(seq)
}

function readPage(sql: InboxStatements, filter: DeadLetterFilter, last: DeadLetter | undefined): DeadLetter[] {
  const { topic = null, code = null, failedSince, failedUntil } = filter
  const after = last?.failedAt.getTime() ?? 0
  const since = Math.max(after, failedSince?.getTime() ?? 0)
  const until = failedUntil?.getTime() ?? Number.MAX_SAFE_INTEGER
  const rows = sql.listDead.all(since, until, after, last ? findRawId(last) : Buffer.alloc(0), topic, code)
  return rows.map((row) => toDeadLetter(row as DeadRow))
}
