/**
 * How Commerce Layer delivers: the limits that its documentation gives for webhooks ("Handling errors"), and two that it does not
 * give and hooklayer assumes.
 */

/** Milliseconds that an endpoint has to answer a call. */
export const ANSWER_TIMEOUT_MS = 5000

/** How often a failed delivery is sent again at most. */
export const MAX_RETRIES = 10

/** Consecutive failures, retries included, that open the circuit of a webhook: nothing more is sent until it is reset. */
export const FAILURES_TO_OPEN = 30

/** An assumption: a call without an answer is shown as under way for this long. Twice {@link ANSWER_TIMEOUT_MS}. */
export const UNDER_WAY_MS = 10_000

/** An assumption: a call without an answer that is older than this will never get one, so its event is redelivered. */
export const REDELIVER_AFTER_MS = 60_000
