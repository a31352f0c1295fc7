import type { ErrorCode, OutcomeName } from './outcomes.ts'

/** What every event says of its delivery. Nothing of it is personal, and nothing is of the body but ids and type. */
export interface AttemptInfo {
  /**
   * The same object in all events of one attempt in this process: a key for a `WeakMap`. `retry-scheduled`, `dead` and
   * `breaker` have one of their own.
   */
  readonly scope: object
  /** `undefined` for a topic that is neither in the catalogue nor that of a handler: anybody can make up any number. */
  readonly topic: string | undefined
  /** SHA-256 over topic and bytes, computed when it is first read. `undefined` before the delivery was verified. */
  readonly deliveryId: string | undefined
  /** The `id` of the event, computed when it is first read; `undefined` before it was parsed, or if it has none. */
  readonly eventId: string | undefined
  /** The resource of the document; `undefined` before it was parsed. */
  readonly resource: { readonly type: string; readonly id: string } | undefined
  readonly organizationId: string | undefined
  readonly mode: 'test' | 'live' | undefined
  /** The number of the attempt, where a worker counts them. */
  readonly attempt: number | undefined
  /** After how many attempts a worker gives up. */
  readonly attempts: number | undefined
  /** For `JSON.stringify` and loggers: all but `scope` and `eventId`. */
  toJSON(): Readonly<Record<string, unknown>>
}

/** What each type of event says besides {@link AttemptInfo}. */
export interface EventDetails {
  /** A delivery was verified, taken from an inbox, or given to `redeliver`. */
  readonly received: {
    readonly source: 'request' | 'inbox' | 'redelivery'
    /** When the receiver was given the request. */
    readonly receivedAt: Date
    readonly bodyBytes: number
    /** The W3C trace context that was stored with the delivery, see `toTraceparent`. */
    readonly traceparent: string | undefined
    /** The `traceparent` header of the request. It is not signed, so it is not more than a hint. */
    readonly senderTraceparent: string | undefined
  }
  /** A request was refused before it was verified. Strangers can cause any number of these. */
  readonly refused: { readonly code: ErrorCode; readonly status: number; readonly durationMs: number }
  /** An inbox has stored the delivery. */
  readonly stored: { readonly durationMs: number }
  readonly 'handler-started': { readonly handler: string }
  /** `discarded` after a `PermanentError`. */
  readonly 'handler-finished': {
    readonly handler: string
    readonly outcome: 'handled' | 'failed' | 'discarded'
    readonly durationMs: number
  }
  /**
   * A delivery has ended, once for each attempt. Where the handlers run in the background, it comes when they have
   * ended. `durationMs` counts from the request, or from the start of the attempt.
   */
  readonly finished: {
    readonly outcome: OutcomeName | 'failed'
    /** With `failed`, and with `discarded` if a responder has answered its fallback. */
    readonly code: ErrorCode | undefined
    readonly durationMs: number
    /**
     * How many deliveries of the topic have failed in a row, as Commerce Layer's circuit counts them: 0 after one that
     * succeeded. A duplicate does not change it. Always 0 in a worker, in the background and after `redeliver`, whose
     * failures are not answers.
     */
    readonly consecutiveFailures: number
  }
  /** A worker will try again. */
  readonly 'retry-scheduled': StoredFailure & { readonly delayMs: number }
  /** A delivery has become a dead letter, or `count` of its topic have. */
  readonly dead: StoredFailure & { readonly count: number }
  /**
   * A circuit may open soon: once for each level until a delivery of the topic succeeds. Commerce Layer stops sending
   * after 30 failures in a row. `mismatch`: none of the last 10 signatures of the topic matched. The secret may have
   * been replaced, or somebody forges deliveries.
   */
  readonly breaker: { readonly level: 10 | 20 | 25 | 'mismatch'; readonly consecutiveFailures: number }
}

interface StoredFailure {
  /** Of the error: a code of the receiver, `PERMANENT`, `WORKER_LOST`, or one of your own inbox. */
  readonly code: string
  /** The name of the handler that failed, or several names. */
  readonly handler?: string | undefined
}

export type EventType = keyof EventDetails

/** Something that has happened to a delivery, told apart by `type`. */
export type ObservedEvent<T extends EventType = EventType> = T extends unknown
  ? AttemptInfo & EventDetails[T] & { readonly type: T }
  : never

/**
 * Is told what happens to deliveries. Nothing that an observer throws, returns or changes has an effect on a delivery:
 * its errors are logged once a minute.
 *
 * @example
 * const receiver = createReceiver({
 *   secrets: secretsFromEnv(),
 *   observers: [{ events: ['dead'], onEvent: ({ topic, resource }) => alert(`${topic} ${resource?.id} is dead.`) }],
 * })
 * @see docs/observability.md
 */
export interface Observer {
  /** The types that `onEvent` is called with; for others no event is made. Default: all. */
  readonly events?: readonly EventType[] | undefined
  /** Is called at once, and not awaited. */
  onEvent?(event: ObservedEvent): unknown
  /**
   * Runs a handler in a surrounding of its own: an active span, a scope, an async context. It calls `run` once, before
   * it returns; otherwise the handler runs without it. What `run` returns is what the handler does, a promise mostly.
   */
  wrapHandler?(info: ObservedEvent<'handler-started'>, run: () => unknown): unknown
  /** Gives the W3C trace context to store with a delivery, so that the worker's trace can be linked to this one. */
  toTraceparent?(info: AttemptInfo): string | undefined
}
