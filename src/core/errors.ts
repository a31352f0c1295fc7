import { ERRORS, type ErrorCode } from './outcomes.ts'

/** Errors are recognised by this tag, not by `instanceof`: a program may hold two copies of the package (ESM and CJS). */
const TAG = Symbol.for('hooklayer.error')
const PERMANENT = Symbol.for('hooklayer.permanent')

export interface WebhookErrorOptions {
  /** Replaces the message of the table; read by the sender, so it must hold nothing of a request. */
  readonly message?: string
  /** What to do about it, added to the message: for the sender to read, too. */
  readonly fix?: string
  /** What is known about the reason, for the log and `onError` only: never part of an answer. */
  readonly hint?: string
  /** What was thrown, for the log and `onError` only. */
  readonly cause?: unknown
}

/**
 * Why a delivery was not accepted. `message` is what the sender is answered; `hint` and `cause` are for your eyes: they
 * reach the logger and `onError`, never an answer.
 */
export class WebhookError extends Error {
  override readonly name = 'WebhookError'
  readonly code: ErrorCode
  /** The HTTP status that it is answered with. */
  readonly status: number
  /** Whether the same delivery may succeed when it is fired again. */
  readonly retryable: boolean
  readonly hint: string | undefined

  constructor(code: ErrorCode, options: WebhookErrorOptions = {}) {
    const [status, retryable, message] = ERRORS[code]
    const text = options.message ?? message
    super(options.fix ? `${text} ${options.fix}` : text, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.status = status
    this.retryable = retryable
    this.hint = options.hint
    Object.defineProperty(this, TAG, { value: true })
  }
}

/**
 * What a handler throws when trying again would not help: the delivery is answered 200 and is not fired again. It still
 * reaches the log and `onError`.
 */
export class PermanentError extends Error {
  override readonly name = 'PermanentError'

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    Object.defineProperty(this, PERMANENT, { value: true })
  }
}

/** Whether something that was thrown is a {@link WebhookError}, of whichever copy of the package. */
export function isWebhookError(thrown: unknown): thrown is WebhookError {
  return hasTag(thrown, TAG)
}

export function isPermanentError(thrown: unknown): thrown is PermanentError {
  return hasTag(thrown, PERMANENT)
}

function hasTag(thrown: unknown, tag: symbol): boolean {
  try {
    return typeof thrown === 'object' && thrown !== null && tag in thrown
  } catch {
    return false // A proxy that does not want to be asked.
  }
}

/** Turns whatever was thrown on the road into a {@link WebhookError}; a `.status` of its own does not become the answer's. */
export function toWebhookError(thrown: unknown): WebhookError {
  return isWebhookError(thrown)
    ? thrown
    : new WebhookError('HANDLER_FAILED', { message: 'The receiver failed.', cause: thrown })
}
