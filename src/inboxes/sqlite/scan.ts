import { decompressBody } from '../queue/compressed-body.ts'
import type { DeliveryQueue, ScannedDelivery, ScannedPage } from '../queue/queue.ts'
import type { GroupCommit } from './group-commit.ts'
import { type Bytes, findState, type ScannedRow, type StateColumns, toBuffer, toScanned } from './rows.ts'
import type { InboxStatements } from './statements.ts'

/** The rows of deliveries that were scanned, by `seq`: an id that is not text would not find its row again. */
const rows = new WeakMap<ScannedDelivery, string>()

export function createScan(
  sql: InboxStatements,
  { write }: GroupCommit,
  retentionMs: number,
): Pick<DeliveryQueue, 'scan' | 'readBody' | 'erase'> {
  const readPage = (after: string): ScannedPage => {
    const { seq: end } = sql.endOfRange.get(after) as { readonly seq: string | null }
    if (end === null) return { deliveries: [] }
    const now = Date.now()
    const deliveries = (sql.scan.all(after) as readonly ScannedRow[]).map((row) => {
      const scanned = toScanned(row, now)
      rows.set(scanned, row.seq)
      return scanned
    })
    return { deliveries, next: async () => readPage(end) }
  }

  return {
    async scan(after) {
      const place = after === undefined ? undefined : (sql.findPlace.get(after) as { readonly seq: string } | undefined)
      return readPage(place?.seq ?? '0')
    },
    async readBody(scanned) {
      const row = sql.readBody.get(findRow(scanned)) as { readonly body: Bytes | null } | undefined
      return decompressBody(toBuffer(row?.body))
    },
    erase: (scanned) => write(() => eraseRow(sql, findRow(scanned), retentionMs)),
  }
}

/** To be run in a transaction. */
function eraseRow(sql: InboxStatements, seq: string, retentionMs: number): ReturnType<typeof findState> | undefined {
  const row = sql.readState.get(seq) as StateColumns | undefined
  if (!row) return undefined
  const now = Date.now()
  const state = findState(row, now)
  if (state === 'running') return state
  sql.discard.run(now + retentionMs, seq)
  sql.dropBody.run(seq)
  // The next one of its group has waited for it.
  if (row.state === 0) sql.openNext.run(seq)
  sql.forgetGroup.run(seq)
  return state
}

function findRow(scanned: ScannedDelivery): string {
  return rows.get(scanned) ?? ''
}
