import type { StoredDelivery } from '../core/inbox.ts'
import type { OpenDatabase } from '../sqlite/open.ts'
import { createGroupCommit } from './group-commit.ts'
import { pack } from './packed-body.ts'
import type { Claimed, Demand, End, Limits, Shelf } from './shelf.ts'
import { deadLetterOf, deadLettersOf, keptIn, type OpenRow, type RemovedRow, statisticsOf } from './sqlite-rows.ts'
import { prepareStatements, type Statements } from './sqlite-statements.ts'

/** A shelf in two tables of a database. Its clock is the machine's. */
export function createSqliteShelf({ database, close }: OpenDatabase, limits: Limits): Shelf {
  const { leaseMs, retentionMs } = limits
  const sql = prepareStatements(database)
  const { write, flush } = createGroupCommit(database)
  const room = createRoom(sql, limits.maxQueued)

  function put({ id, topic, receivedAt, group }: StoredDelivery, packed: Buffer): 'stored' | 'duplicate' | 'full' {
    const now = Date.now()
    if (!room.isLeft()) return sql.isKnown.get(id, now) ? 'duplicate' : 'full'
    const grp = group ?? null
    const insert = () => sql.insert.run(id, topic, receivedAt.getTime(), grp, now, grp)
    let inserted = insert()
    if (inserted.changes === 0 && sql.forget.run(id, now).changes > 0) inserted = insert()
    if (inserted.changes === 0) return 'duplicate'
    sql.insertBody.run(inserted.lastInsertRowid, packed)
    room.take()
    return 'stored'
  }

  function claim({ hands, handsByTopic }: Demand): readonly Claimed[] {
    const claimed: Claimed[] = []
    const left = new Map(handsByTopic)
    while (claimed.length < hands) {
      const now = Date.now()
      const busy = [...left].flatMap(([topic, hands]) => (hands === 0 ? topic : []))
      const row = sql.next.get(now, JSON.stringify(busy)) as OpenRow | undefined
      if (!row) break
      const { seq, topic } = row
      const token = crypto.randomUUID()
      sql.take.run(token, now + leaseMs, seq)
      left.set(topic, (left.get(topic) ?? hands) - 1)
      claimed.push({ token, attempt: row.attempts + 1, isLost: row.token !== null, ...keptIn(row) })
    }
    return claimed
  }

  function settle({ token, delivery: { id } }: Claimed, outcome: End): boolean {
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
      const packed = pack(delivery.body)
      return write(() => put(delivery, packed))
    },
    claim: (demand) => write(() => claim(demand)),
    renew: ({ token, delivery }) => write(() => sql.renew.run(Date.now() + leaseMs, delivery.id, token).changes > 0),
    settle: (claimed, outcome) => write(() => settle(claimed, outcome)),
    dead: async (filter, last) => deadLettersOf(sql, filter, last),
    letter: async (id) => deadLetterOf(sql, id),
    revive: (id) =>
      ifDead(id, (seq) => {
        sql.revive.run(Date.now(), id)
        sql.moveBody.run(seq)
      }),
    discard: (id) =>
      ifDead(id, (seq) => {
        sql.discard.run(Date.now() + retentionMs, seq)
        remove(seq)
      }),
    statistics: async () => statisticsOf(sql),
    async close() {
      flush()
      close()
    },
  }
}

interface Room {
  isLeft(): boolean
  take(): void
}

/** For how long the room that is left is reckoned before it is counted again: other processes store, too. */
const RECKONED_MS = 1000

function createRoom({ countOpen }: Statements, maxQueued: number): Room {
  let left = 0
  let countedAt = 0
  return {
    isLeft() {
      const now = performance.now()
      if (left > 0 && now - countedAt < RECKONED_MS) return true
      left = maxQueued - (countOpen.get() as { open: number }).open
      countedAt = now
      return left > 0
    },
    take() {
      left -= 1
    },
  }
}
