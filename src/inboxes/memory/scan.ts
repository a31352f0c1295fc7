import type { ScannedPage } from '../queue/queue.ts'
import { type Rows, toScanned } from './rows.ts'

const PAGE_SIZE = 500

/** Scans the deliveries that there are now. */
export function scanRows(rows: Rows, after: string | undefined): ScannedPage {
  const ids = [...rows.keys()]
  return readPage(rows, ids, after === undefined ? 0 : ids.indexOf(after) + 1)
}

function readPage(rows: Rows, ids: readonly string[], start: number): ScannedPage {
  const end = start + PAGE_SIZE
  const found = ids.slice(start, end).flatMap((id) => rows.get(id) ?? [])
  return {
    deliveries: found.map(toScanned),
    next: end < ids.length ? async () => readPage(rows, ids, end) : undefined,
  }
}
