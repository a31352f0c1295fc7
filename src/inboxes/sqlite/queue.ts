import type { StoredDelivery } from '../../core/inbox/inbox.ts'
import type { OpenDatabase } from '../../sqlite/open.ts'
import { compressBody } from '../queue/compressed-body.ts'
import type { DeliveryQueue, InboxLimits, LeasedDelivery, LeaseRequest, Settlement } from '../queue/queue.ts'
import { createGroupCommit } from './group-commit.ts'
import {
  type OpenRow,
  type RemovedRow,
  readDeadLetter,
  readDeadLetters,
  readStatistics,
  toDeliveryRecord,
} from './rows.ts'
import { prepareStatements, type Statements } from './statements.ts'

/** A shelf in two tables of a database. Its clock is the machine's. */
export function createSqliteQueue({ database, close }: OpenDatabase, limits: InboxLimits): DeliveryQueue {
  const { leaseMs, retentionMs } = limits
  const sql = prepareStatements(database)
  const { write, flush } = createGroupCommit(database)
  const backlog = createBacklog(sql, limits.maxQueued)

  function put({ id, topic, receivedAt, group }: StoredDelivery, packed: Buffer): 'stored' | 'duplicate' | 'full' {
    const now = Date.now()
    if (!backlog.hasRoom()) return sql.isKnown.get(id, now) ? 'duplicate' : 'full'
    const grp = group ?? null
    const insert = () => sql.insert.run(id, topic, receivedAt.getTime(), grp, now, grp)
    let inserted = insert()
    if (inserted.changes === 0 && sql.forget.run(id, now).changes > 0) inserted = insert()
    if (inserted.changes === 0) return 'duplicate'
    sql.insertBody.run(inserted.lastInsertRowid, packed)
    backlog.take()
    return 'stored'
  }

  function lease({ capacity, capacityByTopic }: LeaseRequest): readonly LeasedDelivery[] {
    const leased: LeasedDelivery[] = []
    const left = new Map(capacityByTopic)
    while (leased.length < capacity) {
      const now = Date.now()
      const busy = [...left].flatMap(([topic, hands]) => (hands === 0 ? topic : []))
      const row = sql.next.get(now, JSON.stringify(busy)) as OpenRow | undefined
      if (!row) break
      const { seq, topic } = row
      const token = crypto.randomUUID()
      sql.take.run(token, now + leaseMs, seq)
      left.set(topic, (left.get(topic) ?? capacity) - 1)
      leased.push({ token, attempt: row.attempts + 1, isLost: row.token !== null, ...toDeliveryRecord(row) })
    }
    return leased
  }

  function settle({ token, delivery: { id } }: LeasedDelivery, outcome: Settlement): boolean {
    const now = Date.now()
    if (outcome.state === 'returned') return sql.returned.run(now + outcome.delayMs, id, token).changes > 0
    if (outcome.state === 'failed') return sql.failed.run(now + outcome.delayMs, id, token).changes > 0
    if (outcome.state === 'dead') {
      const { error, attempts } = outcome
      return end(sql.died.get(now, attempts, error.code, error.message, id, token)) !== undefined
    }
    const seq = end(sql.handled.get(now + retentionMs, id, token))
    if (seq !== undefined) remove(seq)
    return seq !== undefined
  }

  /** It is the turn of the next of its group. */
  function end(row: unknown): number | undefined {
    if (!row) return undefined
    const { seq, grp } = row as RemovedRow
    if (grp !== null) sql.advance.run(grp)
    return seq
  }

  /** For each id that is to be known, two that are not any more go. */
  function remove(seq: number): void {
    sql.dropBody.run(seq)
    sql.sweep.run(Date.now())
  }

  function ifDead(id: string, act: (seq: number) => void): Promise<boolean> {
    return write(() => {
      const row = sql.seqOfDead.get(id) as { seq: number } | undefined
      if (row) act(row.seq)
      return row !== undefined
    })
  }

  return {
    async put(delivery) {
      const packed = compressBody(delivery.body)
      return write(() => put(delivery, packed))
    },
    lease: (request) => write(() => lease(request)),
    renew: ({ token, delivery }) => write(() => sql.renew.run(Date.now() + leaseMs, delivery.id, token).changes > 0),
    settle: (leased, outcome) => write(() => settle(leased, outcome)),
    listDeadLetters: async (filter, last) => readDeadLetters(sql, filter, last),
    getDeadLetter: async (id) => readDeadLetter(sql, id),
    retryDeadLetter: (id) =>
      ifDead(id, (seq) => {
        sql.revive.run(Date.now(), id)
        sql.moveBody.run(seq)
      }),
    discardDeadLetter: (id) =>
      ifDead(id, (seq) => {
        sql.discard.run(Date.now() + retentionMs, seq)
        remove(seq)
      }),
    statistics: async () => readStatistics(sql),
    async close() {
      flush()
      close()
    },
  }
}

interface Backlog {
  hasRoom(): boolean
  take(): void
}

/** For how long the backlog that is left is reckoned before it is counted again: other processes store, too. */
const ESTIMATE_MS = 1000

function createBacklog({ countOpen }: Statements, maxQueued: number): Backlog {
  let left = 0
  let countedAt = 0
  return {
    hasRoom() {
      const now = performance.now()
      if (left > 0 && now - countedAt < ESTIMATE_MS) return true
      left = maxQueued - (countOpen.get() as { open: number }).open
      countedAt = now
      return left > 0
    },
    take() {
      left -= 1
    },
  }
}
