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
