import { type Deadline, withTimeout } from '../deadline.ts'
import type { PermanentError, WebhookError } from '../errors.ts'
import { copyEvent, type WebhookEvent } from '../event/event.ts'
import type { Logger } from '../logger.ts'
import { createSampling } from '../sampling.ts'
import { logError } from './event-log.ts'

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
  /** How many errors this call stands for: requests that are refused alike are reported once a minute together. */
  readonly count: number
}

/**
 * Called for each delivery that failed or was discarded, and once a minute for requests that were refused and may be
 * genuine. An error that it throws is logged, and changes nothing.
 */
export type ErrorHandler = (error: WebhookError | PermanentError, context: ErrorContext) => unknown

export interface ErrorHandlerOptions {
  /**
   * Calls the handler for each request that was refused before it was verified, whoever sent it. Strangers can cause
   * any number of these calls. Default: false.
   */
  readonly unverified?: boolean | undefined
}

type ReportedDelivery = Omit<ErrorContext, 'count'>

export interface Reports {
  onError(handler: ErrorHandler, options?: ErrorHandlerOptions): void
  /** Calls the error handlers for an error of a genuine delivery. */
  report(error: WebhookError | PermanentError, delivery: ReportedDelivery, deadline: Deadline): Promise<void>
  /**
   * Counts a request that was refused before it was verified: reported in the log once a minute, and to the error
   * handlers as they ask.
   *
   * @returns the function that reports it, given the error with its likely reason; `undefined` if nobody is told.
   */
  refuse(
    error: WebhookError,
    delivery: ReportedDelivery,
    deadline: Deadline,
  ): ((explained: WebhookError) => Promise<void>) | undefined
}

/** How long an error handler may take when there is no deadline, in milliseconds. */
const MAX_HANDLER_MS = 10_000
/** How many lines a minute strangers can cause in the log. */
const MAX_STRANGERS = 6
/** How many lines a minute there are about requests that may be genuine. */
const MAX_SUSPECTS = 10

/** Whether genuine deliveries are refused like this after a secret was replaced or forgotten. */
export function isAboutSecret({ code }: WebhookError): boolean {
  return code === 'SIGNATURE_MISMATCH' || code === 'SECRET_UNKNOWN'
}

/** @param isHandled tells whether a topic has a handler. */
export function createReports(logger: Logger, isHandled: (topic: string) => boolean): Reports {
  const handlers: { readonly handler: ErrorHandler; readonly unverified: boolean }[] = []
  const strangers = createSampling(MAX_STRANGERS)
  const suspects = createSampling(MAX_SUSPECTS)

  /**
   * Counts a refused request. Strangers cannot cause an error of the server, or have a topic with a handler and a
   * secret.
   */
  function sample(error: WebhookError, topic: string | undefined) {
    const { code, status } = error
    const mayBeGenuine = topic && isAboutSecret(error) && isHandled(topic)
    const isSuspect = mayBeGenuine || status >= 500
    const kind = mayBeGenuine ? `${code} ${topic}` : code
    return { isSuspect, count: (isSuspect ? suspects : strangers).count(kind) }
  }

  async function call(
    handler: ErrorHandler,
    error: WebhookError | PermanentError,
    { topic, event, consecutiveFailures }: ReportedDelivery,
    count: number,
    deadline: Deadline,
  ): Promise<void> {
    try {
      const handling = Promise.resolve(
        handler(error, { topic, event: event && copyEvent(event), consecutiveFailures, count }),
      )
      await withTimeout(
        handling,
        Math.min(deadline.remaining(), MAX_HANDLER_MS),
        () => new Error('It did not end in time.'),
      )
    } catch (cause) {
      logger.error('An error handler failed.', { cause })
    }
  }

  return {
    onError(handler, { unverified = false } = {}) {
      handlers.push({ handler, unverified })
    },
    async report(error, delivery, deadline) {
      for (const { handler } of handlers) await call(handler, error, delivery, 1, deadline)
    },
    refuse(error, delivery, deadline) {
      const { isSuspect, count } = sample(error, delivery.topic)
      const called = handlers.filter(({ unverified }) => unverified || (isSuspect && count > 0))
      if (count === 0 && called.length === 0) return undefined
      return async (explained) => {
        if (count > 0) logError(explained, delivery.topic, count, logger)
        for (const { handler, unverified } of called) {
          await call(handler, explained, delivery, unverified ? 1 : count, deadline)
        }
      }
    },
  }
}
