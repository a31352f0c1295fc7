import type { PermanentError } from './errors.ts'
import type { OutcomeName } from './outcomes.ts'

/**
 * How an accepted delivery ended. `errors` holds the permanent errors of handlers, which are acknowledged all the same.
 */
export interface Outcome {
  readonly name: OutcomeName
  readonly errors: readonly PermanentError[]
}

/** All handlers have succeeded. */
export const HANDLED: Outcome = { name: 'handled', errors: [] }
/** The handlers run after the answer. */
export const QUEUED: Outcome = { name: 'queued', errors: [] }
/** The same event was handled before, or the same delivery stored. */
export const DUPLICATE: Outcome = { name: 'duplicate', errors: [] }
/** No handler is registered for the topic. */
export const IGNORED: Outcome = { name: 'ignored', errors: [] }
/** A newer version of the resource was handled before. */
export const STALE: Outcome = { name: 'ignored', errors: [] }
/** The version of the resource is older than `maxAgeMs`. */
export const TOO_OLD: Outcome = { name: 'discarded', errors: [] }

const MAYBE_REPLAYED: readonly Outcome[] = [DUPLICATE, STALE, TOO_OLD]

/** Whether an outcome says nothing about the handlers: somebody may have sent a captured delivery again. */
export function mayBeReplay(outcome: Outcome): boolean {
  return MAYBE_REPLAYED.includes(outcome)
}
