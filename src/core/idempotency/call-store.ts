import { withTimeout } from '../deadline.ts'
import { asPromise } from '../maybe-promise.ts'

/** Milliseconds after which a store counts as down: the handlers need the time that is left until the deadline. */
export const STORE_TIMEOUT_MS = 1500

/** Calls a store, and rejects if it does not answer within `ms` milliseconds. A driver that throws rejects as well. */
export function callStore<T>(call: () => Promise<T>, ms = STORE_TIMEOUT_MS): Promise<T> {
  return withTimeout(asPromise(call), ms, () => new Error('The idempotency store did not answer in time.'))
}
