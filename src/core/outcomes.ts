/**
 * How an accepted delivery can end, with the status of its answer.
 *
 * `queued`: the handlers run after the answer, or a worker runs them. `duplicate`: the same event was handled before,
 * or the same delivery was stored before. `ignored`: no handler is registered for the topic. `discarded`: a handler
 * threw a `PermanentError`, or the delivery is older than `maxAgeMs`.
 *
 * Commerce Layer retries a delivery that is answered with anything but 2xx, and stops sending after 30 such answers in
 * a row. Source: Commerce Layer, "Handling errors" of its webhooks.
 */
export const OUTCOMES = { handled: 200, queued: 202, duplicate: 200, ignored: 200, discarded: 200 } as const

/** How an accepted delivery ended. */
export type OutcomeName = keyof typeof OUTCOMES

/**
 * The status, whether the same delivery may succeed later, and the message. The sender sees it, so it must not quote
 * the request.
 */
type Answer = readonly [status: number, retryable: boolean, message: string]

/**
 * Every error. Commerce Layer keeps the status and the reason as `response_code` and `response_message` of the event
 * callback. `SECRET_UNKNOWN` is answered as `SIGNATURE_MISMATCH`, see `respondError`.
 */
export const ERRORS = {
  METHOD_NOT_ALLOWED: [405, false, 'Only POST is allowed.'],
  BODY_TOO_LARGE: [413, false, 'The body is over `maxBodyBytes`.'],
  ENCODING_UNSUPPORTED: [415, false, 'The body has a Content-Encoding.'],
  BODY_ABORTED: [400, true, 'The body ended before it was complete.'],
  BODY_TIMEOUT: [408, true, 'The body did not arrive within `bodyTimeoutMs`.'],
  BODY_ALREADY_PARSED: [500, false, 'The body was read before the receiver saw it, and the signed bytes are gone.'],
  BODY_DAMAGED: [500, false, 'What was stored is damaged.'],
  SIGNATURE_MISSING: [401, false, 'The X-CommerceLayer-Signature header is missing.'],
  SIGNATURE_MISMATCH: [401, false, 'The signature does not match the body.'],
  SECRET_UNKNOWN: [401, false, 'There is no secret for this topic.'],
  TOPIC_MISSING: [400, false, 'The X-CommerceLayer-Topic header is missing.'],
  TOPIC_INVALID: [400, false, 'The X-CommerceLayer-Topic header is malformed.'],
  TOPIC_MISMATCH: [400, false, 'The resource is not of the type of the topic.'],
  DOCUMENT_INVALID: [400, false, 'The body is not a JSON:API document with one resource.'],
  INCLUDE_MISSING: [500, false, 'A relationship that a handler needs is not in the body.'],
  NO_HANDLER: [503, true, 'No handler takes this topic here.'],
  HANDLER_FAILED: [500, true, 'A handler failed.'],
  INTERNAL_ERROR: [500, true, 'The receiver failed.'],
  IN_PROGRESS: [409, true, 'The same event is being handled.'],
  DEADLINE_EXCEEDED: [503, true, 'It took longer than `deadlineMs`.'],
  STORE_UNAVAILABLE: [503, true, 'A store that is needed did not answer.'],
  OVERLOADED: [503, true, 'More than `maxInFlight` deliveries are under way.'],
  SHUTTING_DOWN: [503, true, 'The receiver is shutting down.'],
} as const satisfies Record<string, Answer>

/** The code of a `WebhookError`: stable. The log and `onError` have it, and the answer has all but `SECRET_UNKNOWN`. */
export type ErrorCode = keyof typeof ERRORS
