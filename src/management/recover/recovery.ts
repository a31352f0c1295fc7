/** What happened to one event whose delivery had failed. */
export interface RecoveryResult {
  /** The first failed call of the event within the searched time. */
  readonly callbackId: string
  /** The topic of the event. Its webhook may have another one by now. */
  readonly topic: string
  /** The same id as `eventIdOf` gives. */
  readonly eventId: string
  /** Such as `orders/NrlYhpzLKA`. */
  readonly resource: string
  /**
   * - `recovered`: its handlers have run.
   * - `would-recover`: its handlers would run, if this were not a dry run.
   * - `already-delivered`: another call succeeded, or the receiver's idempotency store knows the event.
   * - `retriggered`: Commerce Layer was asked to send it again.
   * - `failed`: see `error`.
   */
  readonly result: 'recovered' | 'would-recover' | 'already-delivered' | 'retriggered' | 'failed'
  /** A code and a message without any part of the payload, such as `HANDLER_FAILED: A handler failed.` */
  readonly error?: string
}

/** The place where a recovery stopped: plain JSON, to be passed as `after` with otherwise the same options. */
export interface RecoveryCursor {
  /** When the first run began. Calls that were made later are left to another recovery. */
  readonly asOf: string
  /** The last call that was looked at. */
  readonly last: { readonly id: string; readonly created_at: string } | null
  /** Digests of the events up to `last` that failed. Only these are tried again. */
  readonly failed: readonly string[]
}

/** The summary of a recovery. The numbers count events, unless they say otherwise. */
export interface Recovery {
  readonly recovered: number
  readonly wouldRecover: number
  readonly alreadyDelivered: number
  readonly retriggered: number
  readonly failed: number
  /**
   * The number of failed calls that were left alone: no handler listens to their topic or it cannot be told, their
   * webhook calls another URL than `callbackUrl`, their webhook was deleted, or the API has no payload of them.
   */
  readonly unhandled: number
  /** The number of webhooks whose open circuit was reset. */
  readonly circuitsReset: number
  /** Whether the recovery has looked at all calls. */
  readonly complete: boolean
  readonly cursor: RecoveryCursor
}

/**
 * The failure that stopped a recovery, usually of the API. `recovery` is the summary so far, with the cursor to
 * continue.
 */
export class RecoveryError extends Error {
  override readonly name = 'RecoveryError'
  readonly recovery: Recovery

  constructor(recovery: Recovery, cause: unknown) {
    const why = cause instanceof Error ? ` ${cause.message}` : ''
    super(`The recovery stopped: pass its cursor as \`after\` to continue.${why}`, { cause })
    this.recovery = recovery
  }
}
