/** What became of an event whose delivery had failed. */
export interface RecoveryResult {
  /** The failed call that brought it up: the first of the event's in the time that was searched. */
  readonly callbackId: string
  readonly topic: string
  /** As `eventIdOf` gives it. */
  readonly eventId: string
  /** Such as `orders/NrlYhpzLKA`. */
  readonly resource: string
  /**
   * `recovered`: its handlers have run. `would recover`: they would, were it not a dry run. `already delivered`: a later call
   * succeeded, or the receiver knew the event. `retriggered`: Commerce Layer was asked to send it again. `failed`: see `error`.
   */
  readonly result: 'recovered' | 'would-recover' | 'already-delivered' | 'retriggered' | 'failed'
  /** A code and a message that hold nothing of the payload, such as `HANDLER_FAILED: A handler failed.` */
  readonly error?: string
}

/** Where a recovery stopped: plain JSON, to be handed back as `after` with the other options as they were. */
export interface RecoveryCursor {
  /** When the first run began: calls that were made later are left for another recovery. */
  readonly asOf: string
  /** The last call that was looked at. */
  readonly last: { readonly id: string; readonly created_at: string } | null
  /** Digests of the events up to there that failed: they are tried again, and nothing else up to there is. */
  readonly failed: readonly string[]
}

/** What a recovery did, in numbers of events. */
export interface Recovery {
  readonly recovered: number
  readonly wouldRecover: number
  readonly alreadyDelivered: number
  readonly retriggered: number
  readonly failed: number
  /**
   * Failed calls, not events, that are left alone: no handler listens to their topic, they went to another URL than `callbackUrl`,
   * their webhook is gone, or the API has not kept what was sent.
   */
  readonly unhandled: number
  /** Webhooks whose circuit was open and is closed now. */
  readonly circuitsReset: number
  /** Whether all that was searched for was dealt with. */
  readonly complete: boolean
  readonly cursor: RecoveryCursor
}

/** What ended a recovery before its time, most likely the API. `recovery` says what was done, and where to go on. */
export class RecoveryError extends Error {
  override readonly name = 'RecoveryError'
  readonly recovery: Recovery

  constructor(recovery: Recovery, cause: unknown) {
    const why = cause instanceof Error ? ` ${cause.message}` : ''
    super(`The recovery stopped: hand its cursor back as \`after\` to go on.${why}`, { cause })
    this.recovery = recovery
  }
}
