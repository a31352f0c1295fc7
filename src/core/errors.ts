import { ERRORS, type ErrorCode } from './outcomes.ts'

/**
 * Errors are recognized by this tag, not by `instanceof`: a program may hold two copies of the package (ESM and
 * CommonJS).
 */
const TAG = Symbol.for('hooklayer.error')
const PERMANENT = Symbol.for('hooklayer.permanent')

export interface WebhookErrorOptions {
  /** Replaces the message of the table. The sender sees it, so it must not quote the request. */
  readonly message?: string | undefined
  /** The likely reason or what to do about it, for the log and `onError` only: never part of an answer. */
  readonly hint?: string | undefined
  /** The error that was thrown, for the log and `onError` only. */
  readonly cause?: unknown
}

/**
 * Why a delivery was not accepted. `message` is part of the answer; `hint` and `cause` reach the logger and `onError`,
 * and never an answer.
 *
 * @example
 * receiver.onError((error) => {
 *   if (isWebhookError(error)) console.error(error.code, error.hint)
 * })
 */
export class WebhookError extends Error {
  override readonly name = 'WebhookError'
  readonly code: ErrorCode
  /** The HTTP status of the answer. */
  readonly status: number
  /** Whether the same delivery may succeed when it is sent again. */
  readonly retryable: boolean
  readonly hint: string | undefined

  constructor(code: ErrorCode, options: WebhookErrorOptions = {}) {
    const [status, retryable, message] = ERRORS[code]
    super(options.message ?? message, options)
    this.code = code
    this.status = status
    this.retryable = retryable
    this.hint = options.hint
    Object.defineProperty(this, TAG, { value: true })
  }
}

/**
 * What a handler throws when trying again would not help: the delivery is answered 200, and Commerce Layer does not
 * retry it. The error reaches the log and `onError`.
 *
 * @example
 * throw new PermanentError('The order has no customer.')
 */
export class PermanentError extends Error {
  override readonly name = 'PermanentError'

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    Object.defineProperty(this, PERMANENT, { value: true })
  }
}

/** Whether a thrown value is a {@link WebhookError}, of any copy of the package. */
export function isWebhookError(thrown: unknown): thrown is WebhookError {
  return hasTag(thrown, TAG)
}

/** Whether a thrown value is a {@link PermanentError}, of any copy of the package. */
export function isPermanentError(thrown: unknown): thrown is PermanentError {
  return hasTag(thrown, PERMANENT)
}

function hasTag(thrown: unknown, tag: symbol): boolean {
  try {
    return tag in Object(thrown)
  } catch {
    return false // A proxy whose `has` trap throws.
  }
}

/**
 * Turns any thrown value into a {@link WebhookError}. An unknown one is an `INTERNAL_ERROR`, whatever `status` it has.
 */
export function toWebhookError(thrown: unknown): WebhookError {
  return isWebhookError(thrown) ? thrown : new WebhookError('INTERNAL_ERROR', { cause: thrown })
}

const HANDLERS = Symbol.for('hooklayer.handlers')
/** One for all copies of the package: as CommonJS, a receiver and an inbox are two. */
const failedHandlers = readShared()

function readShared(): WeakMap<object, string> {
  const shared = globalThis as { [HANDLERS]?: WeakMap<object, string> }
  shared[HANDLERS] ??= new WeakMap()
  return shared[HANDLERS]
}

/** Records which handler an error comes from. A thrown value that is no object is not recorded. */
export function recordHandler<T>(error: T, handler: string): T {
  if (typeof error === 'object' && error !== null) failedHandlers.set(error, handler)
  return error
}

/** The name of the handler that an error comes from, or several names; `undefined` if it is not known. */
export function findHandler(error: unknown): string | undefined {
  return failedHandlers.get(Object(error))
}
