import type { PermanentError, WebhookError } from '../core/errors.ts'
import type { HeadersLike } from '../core/http/request.ts'
import type { HandlerRun, Parsed } from '../core/observe.ts'
import type { OutcomeName } from '../core/outcomes.ts'

/**
 * Is told of each attempt once, when it has ended: of each request, each delivery that a worker took, and each
 * redelivery. `createRecorder` of `hooklayer/recorder` makes one. What it throws is logged once a minute, and has no
 * effect.
 */
export interface DeliveryRecorder {
  /** Is called at once and not awaited, so it delays the answer. */
  record(attempt: RecordedAttempt): void
}

/**
 * One attempt, with the objects that the receiver itself works with: change nothing, and keep only what you need. They
 * hold personal data.
 */
export interface RecordedAttempt {
  readonly source: 'request' | 'inbox' | 'redelivery'
  /** Not of an attempt for a stored delivery, or of a redelivery. */
  readonly request: { readonly method: string; readonly headers: HeadersLike } | undefined
  /** Of the request, once its form was checked. It is authenticated unless the outcome is `refused`. */
  readonly topic: string | undefined
  /** As received; `undefined` if it was not read. */
  readonly body: Uint8Array | undefined
  /** `undefined` before it was verified. Its `id` takes time to compute, unless somebody has read it before. */
  readonly delivery?: { readonly id: string } | undefined
  /** What the document says; `undefined` before it was parsed. */
  readonly parsed?: Parsed | undefined
  /** `refused`: before it was verified. `failed`: after that. */
  readonly outcome: OutcomeName | 'failed' | 'refused'
  /** Of what was refused or failed, with the likely reason as its `hint`; or the first `PermanentError`. */
  readonly error: WebhookError | PermanentError | undefined
  /** Whether its handlers ran after the request was answered, with 202. */
  readonly ranInBackground?: boolean | undefined
  /** Of `performance.now()`. */
  readonly startedAt: number
  readonly durationMs: number
  /** The name of each stage, followed by its start as a time of `performance.now()`. */
  readonly stages?: readonly (StageName | number)[] | undefined
  /** In the order of their start. Those that are `running` go on changing. */
  readonly handlers?: readonly Readonly<HandlerRun>[] | undefined
  readonly attempt?: number | undefined
  readonly attempts?: number | undefined
  readonly consecutiveFailures: number
  /** The bytes that were signed, where the diagnosis of a mismatch has found them. */
  readonly signedBody?: Uint8Array | undefined
}

/** The steps on the road of a delivery, in their order. */
export type StageName = 'admit' | 'secrets' | 'read' | 'verify' | 'store' | 'parse' | 'reserve' | 'handle'
