import type { PermanentError, WebhookError } from './errors.ts'
import type { OutcomeName } from './outcomes.ts'

/**
 * How an accepted delivery ended. `errors` holds the permanent errors of handlers, which are acknowledged all the same,
 * or the error for which a responder has answered its fallback.
 */
export interface Outcome {
  readonly name: OutcomeName
  readonly errors: readonly (PermanentError | WebhookError)[]
}

/** All handlers have succeeded. */
export const HANDLED = toOutcome('handled')
/** The handlers run after the answer. */
export const QUEUED = toOutcome('queued')
/** The same event was handled before, or the same delivery stored. */
export const DUPLICATE = toOutcome('duplicate')
/** No handler is registered for the topic. */
export const IGNORED = toOutcome('ignored')
/** A newer version of the resource was handled before. */
export const STALE = toOutcome('ignored')
/** The version of the resource is older than `maxAgeMs`. */
export const TOO_OLD = toOutcome('discarded')
/** It was no delivery: somebody asked whether the secret is known. */
export const PROBED = toOutcome('ignored')

const MAYBE_REPLAYED: readonly Outcome[] = [DUPLICATE, STALE, TOO_OLD, PROBED]

/**
 * Whether an outcome says nothing about the handlers: somebody may have sent a captured delivery again, or it was a
 * probe.
 */
export function mayBeReplay(outcome: Outcome): boolean {
  return MAYBE_REPLAYED.includes(outcome)
}

function toOutcome(name: OutcomeName): Outcome {
  return { name, errors: [] }
}
