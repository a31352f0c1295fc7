import type { InboxStatements } from './statements.ts'

/** Finds what the clock of the machine would hold back for too long after it was set back. */
export interface LeaseWatch {
  /** To be run in a transaction, as often as there is something to lease. */
  check(): void
}

/** How much later than now a delivery may have been received. */
const TOLERANCE_MS = 1000
/** The most deliveries that one transaction brings forward. */
const BATCH = 1000

/**
 * A lease that ends later than one that starts now could is over early. Its worker may be alive, and another process may
 * give longer leases, so it must have stood unchanged for `leaseMs` on a clock that nobody sets.
 */
export function createLeaseWatch(sql: InboxStatements, leaseMs: number): LeaseWatch {
  const intervalMs = Math.min(leaseMs / 4, TOLERANCE_MS)
  let checkedAt = Number.NEGATIVE_INFINITY
  /** When each of these leases was seen for the first time. */
  let seen: ReadonlyMap<string, number> = new Map()

  function endLeases(now: number, elapsed: number): void {
    const leases = new Map<string, number>()
    for (const { seq, due_at } of sql.findFutureLeases.all(now + leaseMs) as readonly FutureLease[]) {
      const key = `${seq} ${due_at}`
      const since = seen.get(key) ?? elapsed
      if (elapsed - since >= leaseMs) sql.endLease.run(now, seq)
      else leases.set(key, since)
    }
    seen = leases
  }

  return {
    check() {
      const elapsed = performance.now()
      if (elapsed - checkedAt < intervalMs) return
      checkedAt = elapsed
      const now = Date.now()
      endLeases(now, elapsed)
      sql.bringForward.run(now, now + TOLERANCE_MS, now + TOLERANCE_MS, BATCH)
    },
  }
}

interface FutureLease {
  readonly seq: string
  readonly due_at: number
}
