import { type Deadline, withTimeout } from '../deadline.ts'
import { isWebhookError, type PermanentError, type WebhookError } from '../errors.ts'
import { copyEvent, type WebhookEvent } from '../event/event.ts'
import type { Logger } from '../logger.ts'

/** What is known about a delivery that was refused, failed or discarded. */
export interface ErrorContext {
  /** The topic of the request, once its form was checked. It is authenticated only if there is an `event`. */
  readonly topic: string | undefined
  /** Set once the delivery was verified and parsed. A copy, as the event was before the handlers had it. */
  readonly event: WebhookEvent | undefined
  /**
   * How many consecutive genuine deliveries of this topic were answered with an error, this one included. After 30
   * Commerce Layer stops sending. 0 if the delivery is not genuine. This process counts its own answers only.
   */
  readonly consecutiveFailures: number
}

/**
 * Called for each delivery that was refused, failed or discarded. An error that it throws is logged, and changes
 * nothing.
 */
export type ErrorHandler = (error: WebhookError | PermanentError, context: ErrorContext) => unknown

/** Logs an error and calls the error handlers, one after another, waiting for each up to the deadline. */
export async function report(
  error: WebhookError | PermanentError,
  context: ErrorContext,
  errorHandlers: readonly ErrorHandler[],
  deadline: Deadline,
  logger: Logger,
): Promise<void> {
  log(error, context, logger)
  const { topic, event, consecutiveFailures } = context
  for (const handler of errorHandlers) {
    try {
      const own = { topic, event: event && copyEvent(event), consecutiveFailures }
      const handling = Promise.resolve(handler(error, own))
      await withTimeout(handling, deadline.remaining(), () => new Error('It did not end before the deadline.'))
    } catch (cause) {
      logger.error('An error handler failed.', { cause })
    }
  }
}

/** A refused request is a warning; a genuine delivery that fails is an error. */
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
