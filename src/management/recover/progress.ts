import { type EventDigest, readDigest, writeDigest } from './event-digest.ts'
import type { Recovery, RecoveryCursor, RecoveryResult } from './recovery.ts'

/** Keeps account of a recovery: which calls were looked at, and what became of their events. */
export interface RecoveryProgress {
  /** When the first run began. */
  readonly asOf: string
  /** Goes on to the next call. */
  open(call: FailedCall): void
  /** Whether the event of the call is to be dealt with: once, and of those that an earlier run came past only what failed. */
  isDue(event: EventDigest): boolean
  /** Done with the call: should the run end now, the next one goes on behind it. */
  pass(): void
  /** Done with the call, which is of no concern. */
  skip(): void
  /** What becomes of the event will be known later; should the run end before, it has failed. */
  defer(event: EventDigest): void
  settle(event: EventDigest, result: RecoveryResult): void
  /** A circuit was closed. */
  circuitReset(): void
  summary(complete: boolean): Recovery
}

interface FailedCall {
  readonly id: string
  readonly created_at: string
}

export interface RecoveryProgressOptions {
  readonly after?: RecoveryCursor | undefined
  readonly dryRun?: boolean | undefined
  readonly onResult?: ((result: RecoveryResult) => void) | undefined
}

export function createRecoveryProgress({ after, dryRun, onResult }: RecoveryProgressOptions): RecoveryProgress {
  // Calls of this very millisecond count, and times are compared with what comes before them.
  const start = after ?? { asOf: new Date(Date.now() + 1).toISOString(), last: null, failed: [] }
  const counts = { recovered: 0, 'would-recover': 0, 'already-delivered': 0, retriggered: 0, failed: 0 }
  const failed = new Set(start.failed.map(readDigest))
  const seen = new Set<EventDigest>()
  let { last } = start
  let current: RecoveryCursor['last'] = null
  let isNew = last === null
  let unhandled = 0
  let circuitsReset = 0

  function pass(): void {
    if (isNew) last = current
    else if (current?.id === start.last?.id) isNew = true
  }

  return {
    asOf: start.asOf,
    open({ id, created_at }) {
      current = { id, created_at }
      // Should the last call be gone, what comes after its time is new.
      if (start.last && created_at > start.last.created_at) isNew = true
    },
    isDue(event) {
      if (seen.has(event)) return false
      seen.add(event)
      return isNew || failed.has(event)
    },
    pass,
    skip() {
      if (isNew) unhandled++
      pass()
    },
    defer(event) {
      failed.add(event)
    },
    settle(event, result) {
      counts[result.result]++
      if (result.result === 'failed') failed.add(event)
      else failed.delete(event)
      onResult?.(result)
    },
    circuitReset() {
      circuitsReset++
    },
    summary: (complete) => ({
      recovered: counts.recovered,
      wouldRecover: counts['would-recover'],
      alreadyDelivered: counts['already-delivered'],
      retriggered: counts.retriggered,
      failed: counts.failed,
      unhandled,
      circuitsReset,
      complete,
      cursor: dryRun ? start : { asOf: start.asOf, last, failed: [...failed].map(writeDigest) },
    }),
  }
}
