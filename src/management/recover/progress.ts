import { type EventDigest, formatDigest, parseDigest } from './event-digest.ts'
import type { Recovery, RecoveryCursor, RecoveryResult } from './recovery.ts'

/** The state of a recovery: which calls were looked at, and what happened to their events. */
export interface RecoveryProgress {
  /** When the first run began. */
  readonly asOf: string
  /** Moves on to the next call. */
  startCall(call: FailedCall): void
  /**
   * Whether the event of the call must be handled: once in a run, and among the calls of earlier runs only if it
   * failed.
   */
  isDue(event: EventDigest): boolean
  /** Ends the current call: if the run stops now, the next run continues after it. */
  finishCall(): void
  /** Ends the current call, which is left alone. */
  skipCall(): void
  /** Counts the event as failed until its result is known. */
  defer(event: EventDigest): void
  /** Sets the result of the event. */
  settle(event: EventDigest, result: RecoveryResult): void
  countCircuitReset(): void
  summarize(complete: boolean): Recovery
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
  // One millisecond more: calls of this very millisecond are included, and filters compare with "before".
  const start = after ?? { asOf: new Date(Date.now() + 1).toISOString(), last: null, failed: [] }
  const counts = { recovered: 0, 'would-recover': 0, 'already-delivered': 0, retriggered: 0, failed: 0 }
  const failed = new Set(start.failed.map(parseDigest))
  const seen = new Set<EventDigest>()
  let { last } = start
  let current: RecoveryCursor['last'] = null
  let isNew = last === null
  let unhandled = 0
  let circuitsReset = 0

  function finishCall(): void {
    if (isNew) last = current
    else if (current?.id === start.last?.id) isNew = true
  }

  return {
    asOf: start.asOf,
    startCall({ id, created_at }) {
      current = { id, created_at }
      // The last call of the earlier run may be gone: then everything after its time is new.
      if (start.last && created_at > start.last.created_at) isNew = true
    },
    isDue(event) {
      if (seen.has(event)) return false
      seen.add(event)
      return isNew || failed.has(event)
    },
    finishCall,
    skipCall() {
      if (isNew) unhandled++
      finishCall()
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
    countCircuitReset() {
      circuitsReset++
    },
    summarize: (complete) => ({
      recovered: counts.recovered,
      wouldRecover: counts['would-recover'],
      alreadyDelivered: counts['already-delivered'],
      retriggered: counts.retriggered,
      failed: counts.failed,
      unhandled,
      circuitsReset,
      complete,
      cursor: dryRun ? start : { asOf: start.asOf, last, failed: [...failed].map(formatDigest) },
    }),
  }
}
