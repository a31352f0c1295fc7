/**
 * The limits of Commerce Layer, from its documentation. The page "Handling errors" has those of webhooks. The last three
 * limits are not documented: Hooklayer assumes them.
 */

/** Milliseconds that an endpoint has to answer a call. */
export const ANSWER_TIMEOUT_MS = 5000

/** The maximum number of retries of a failed delivery. */
export const MAX_RETRIES = 10

/**
 * Consecutive failures, retries included, that open the circuit of a webhook. Nothing is sent until the circuit is
 * reset.
 */
export const FAILURES_TO_OPEN = 30

/** Consecutive failures that open the circuit of an external resource: "more than 30". */
export const UNANSWERED_TO_OPEN = 31

/** The maximum number of resources on one page of a list. */
export const MAX_PAGE_SIZE = 25

/** An assumption: a call without an answer counts as under way for this long, twice {@link ANSWER_TIMEOUT_MS}. */
export const UNDER_WAY_MS = 10_000

/** An assumption: a call that has no answer after this time never gets one, so its event is redelivered. */
export const REDELIVER_AFTER_MS = 60_000

/** An assumption: the first call of an event is made at most this long after the event, and so is its last retry. */
export const LAST_CALL_AFTER_MS = 3_600_000
