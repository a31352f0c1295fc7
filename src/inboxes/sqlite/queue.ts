import type { StoredDelivery } from '../../core/inbox/inbox.ts'
import type { OpenDatabase } from '../../sqlite/database.ts'
import { prepareStatements } from '../../sqlite/statements.ts'
import { compressBody } from '../queue/compressed-body.ts'
import type { DeliveryQueue, InboxLimits } from '../queue/queue.ts'
import { type Backlog, createBacklog } from './backlog.ts'
import { createDeadLetters, discardOld } from './dead-letters.ts'
import { createGroupCommit } from './group-commit.ts'
import { createLeaseWatch } from './lease-watch.ts'
import { leaseReady, renewLease, settleLeased } from './leases.ts'
import { readSeqs } from './rows.ts'
import { createScan } from './scan.ts'
import { type InboxStatements, STATEMENTS } from './statements.ts'
import { readStatistics } from './statistics.ts'
import { createSorting } from './unhandled.ts'

/** How many expired ids are deleted with each lease, so that deleting never takes long. */
const SWEPT_IDS = 32

/** A delivery queue in two tables of a database. It uses the clock of the machine. */
export function createSqliteQueue(opened: OpenDatabase, limits: InboxLimits): DeliveryQueue {
  const { leaseMs, retentionMs, maxQueued } = limits
  const sql = prepareStatements(opened.database, STATEMENTS)
  const groupCommit = createGroupCommit(opened)
  const { write, writeSoon, flush } = groupCommit
  const backlog = createBacklog(sql, maxQueued)
  const watch = createLeaseWatch(sql, leaseMs)
  const sort = createSorting(sql, limits)

  return {
    async put(delivery) {
      const packed = compressBody(delivery.body)
      return write(() => insertDelivery(sql, backlog, delivery, packed))
    },
    async lease(request) {
      const { leased, reports } = await writeSoon(() => {
        watch.check()
        forgetOldIds(sql)
        discardOld(sql, limits)
        const reports = sort(request)
        return { leased: leaseReady(sql, request, leaseMs), reports }
      })
      for (const report of reports) request.onUnhandled(...report)
      return leased
    },
    renew: (leased) => writeSoon(() => renewLease(sql, leased, leaseMs)),
    settle: (leased, settlement) =>
      (settlement.state === 'dead' ? write : writeSoon)(() => settleLeased(sql, leased, settlement, retentionMs)),
    ...createDeadLetters(sql, groupCommit, retentionMs),
    ...createScan(sql, groupCommit, retentionMs),
    statistics: async () => readStatistics(sql),
    async close() {
      await flush()
      await opened.close()
    },
  }
}

function forgetOldIds(sql: InboxStatements): void {
  for (const seq of readSeqs(sql.findOldIds.all(Date.now(), SWEPT_IDS))) sql.dropId.run(seq)
}

function insertDelivery(
  sql: InboxStatements,
  backlog: Backlog,
  { id, topic, receivedAt, group, signature, traceparent }: StoredDelivery,
  packed: Buffer,
): 'stored' | 'duplicate' | 'full' {
  const now = Date.now()
  if (!backlog.hasRoom()) return sql.isKnown.get(id, now) ? 'duplicate' : 'full'
  const grp = group ?? null
  const texts = [signature ?? null, traceparent ?? null] as const
  const insert = () => sql.insert.run(id, topic, receivedAt.getTime(), grp, ...texts, now, grp)
  let inserted = insert()
  if (inserted.changes === 0 && sql.forget.run(id, now).changes > 0) inserted = insert()
  if (inserted.changes === 0) return 'duplicate'
  sql.insertBody.run(packed, id)
  backlog.add()
  return 'stored'
}
