/**
 * What a receiver can answer: the one table. A genuine delivery answered with anything but 2xx is fired again and counts
 * towards the sender's circuit breaker (30 failures in a row and the webhook is dead), so every status but 200 is here on
 * purpose. Source: Commerce Layer, "Handling errors" of its webhooks.
 */
export const OUTCOMES = {
  handled: { status: 200, means: 'every handler for the topic succeeded' },
  ignored: { status: 200, means: 'genuine, but no handler is registered for the topic' },
  discarded: { status: 200, means: 'a handler threw a PermanentError: trying again would not help' },
} as const satisfies Record<string, { status: number; means: string }>

/** How a delivery that was accepted ended. */
export type OutcomeName = keyof typeof OUTCOMES

/**
 * Every error, the status it is answered with, whether the same delivery may succeed later, and the message of the answer.
 * The messages are read by the sender (they become `response_message` of the event callback) and hold nothing of a request.
 */
export const ERRORS = {
  METHOD_NOT_ALLOWED: {
    status: 405,
    retryable: false,
    message: 'A webhook endpoint takes POST only.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    retryable: false,
    message: 'The body is larger than `maxBodyBytes` allows.',
  },
  ENCODING_UNSUPPORTED: {
    status: 415,
    retryable: false,
    message: 'The body is compressed. Send it without a Content-Encoding: the signature covers the plain bytes.',
  },
  BODY_ABORTED: {
    status: 400,
    retryable: true,
    message: 'The body ended before it was complete.',
  },
  BODY_TIMEOUT: {
    status: 408,
    retryable: true,
    message: 'The body did not arrive within `bodyTimeoutMs`.',
  },
  BODY_ALREADY_PARSED: {
    status: 500,
    retryable: false,
    message: 'A body parser ran before the receiver, and the signed bytes are gone.',
  },
  SIGNATURE_MISSING: {
    status: 401,
    retryable: false,
    message: 'The X-CommerceLayer-Signature header is missing.',
  },
  SIGNATURE_MISMATCH: {
    status: 401,
    retryable: false,
    message: 'The signature does not match the body. The log of the receiver says more.',
  },
  SECRET_UNKNOWN: {
    status: 401,
    retryable: false,
    message: 'No secret is configured for this topic.',
  },
  TOPIC_MISSING: {
    status: 400,
    retryable: false,
    message: 'The X-CommerceLayer-Topic header is missing.',
  },
  TOPIC_INVALID: {
    status: 400,
    retryable: false,
    message: 'The X-CommerceLayer-Topic header is not of the form {resource}.{event}.',
  },
  DOCUMENT_INVALID: {
    status: 400,
    retryable: false,
    message: 'The body is not a JSON:API document with one resource.',
  },
  TOPIC_MISMATCH: {
    status: 400,
    retryable: false,
    message: 'The resource in the body is not of the type that the topic announces.',
  },
  HANDLER_FAILED: {
    status: 500,
    retryable: true,
    message: 'A handler failed.',
  },
  DEADLINE_EXCEEDED: {
    status: 503,
    retryable: true,
    message: 'The handlers did not finish within `deadlineMs`.',
  },
  STORE_UNAVAILABLE: {
    status: 503,
    retryable: true,
    message: 'The secret could not be looked up.',
  },
  OVERLOADED: {
    status: 503,
    retryable: true,
    message: 'Over `maxInFlight` deliveries are being handled.',
  },
  SHUTTING_DOWN: {
    status: 503,
    retryable: true,
    message: 'The receiver is shutting down.',
  },
} as const satisfies Record<string, { status: number; retryable: boolean; message: string }>

/** The code of a `WebhookError`: stable, and the same in the answer, the log and `onError`. */
export type ErrorCode = keyof typeof ERRORS
