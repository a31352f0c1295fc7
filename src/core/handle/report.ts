import { type Deadline, withTimeout } from '../deadline.ts'
import { isWebhookError, type PermanentError, type WebhookError } from '../errors.ts'
import type { WebhookEvent } from '../event/event.ts'
import type { Logger } from '../logger.ts'

/** What is known about a delivery that went wrong. */
export interface ErrorContext {
  /** The topic that the request named, as soon as its form was checked; only an `event` vouches for it. */
  readonly topic: string | undefined
  /** There once the delivery was verified and parsed. */
  readonly event: WebhookEvent | undefined
  /**
   * How many genuine deliveries of this topic in a row, this one included, were answered with an error: at 30 Commerce Layer
   * stops sending. 0 for what was not genuine. This process counts its own answers only.
   */
  readonly consecutiveFailures: number
}

/** Told about every delivery that was refused, failed or discarded; a failure of its own is logged and changes nothing. */
export type ErrorHandler = (error: WebhookError | PermanentError, context: ErrorContext) => unknown

/** Logs an error and tells the error handlers, one after another, waiting for each up to the deadline. */
export async function report(
  error: WebhookError | PermanentError,
  context: ErrorContext,
  errorHandlers: readonly ErrorHandler[],
  deadline: Deadline,
  logger: Logger,
): Promise<void> {
  log(error, context, logger)
  for (const handler of errorHandlers) {
    try {
      const told = Promise.resolve(handler(error, context))
      await withTimeout(told, deadline.remaining(), () => new Error('It did not end before the deadline.'))
    } catch (cause) {
      logger.error('An error handler failed.', { cause })
    }
  }
}

/** A stranger's mistake is a warning; what costs a genuine delivery is an error. */
function log(error: WebhookError | PermanentError, { topic }: ErrorContext, logger: Logger): void {
  const fields = { ...(topic && { topic }), ...(error.cause !== undefined && { cause: error.cause }) }
  if (!isWebhookError(error)) {
    logger.error(`${topic} discarded: ${error.message}`, fields)
    return
  }
  const { code, status, message, hint } = error
  const line = `${topic ?? 'A request'}: ${status} ${code}. ${hint ?? message}`
  logger[status >= 500 ? 'error' : 'warn'](line, { code, ...fields })
}
