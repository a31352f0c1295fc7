import { FAILURES_TO_OPEN } from '../../commerce-layer/limits.ts'
import { findHandler, isWebhookError } from '../errors.ts'
import { describeEvent, type WebhookEvent } from '../event/event.ts'
import type { Logger, SafeLogger } from '../logger.ts'
import type { EventLog, Subject } from '../observe.ts'
import type { ObservedEvent } from '../observed-events.ts'

/** Writes the lines of the log that are about deliveries. Requests that were refused are summed up elsewhere. */
export function createEventLog(logger: SafeLogger): EventLog {
  function writeFinished(
    { outcome, attempt, durationMs }: ObservedEvent<'finished'>,
    errors: readonly Error[],
    { topic = 'A delivery', event, parsed }: Subject,
  ): void {
    for (const error of errors) {
      logError(error, topic, 1, logger, { resource: parsed?.reference, handler: findHandler(error), attempt })
    }
    const level = toLevel(outcome)
    if (outcome === 'failed' || !logger.isOn(level)) return
    const fields = { outcome, attempt, ms: Math.round(durationMs) }
    const described = event ? describeEvent(event as WebhookEvent, fields) : { topic, ...fields }
    logger[level](`${topic} ${outcome}`, described)
  }

  return {
    takes(type, outcome) {
      if (type === 'finished') return outcome === 'failed' || outcome === 'discarded' || logger.isOn(toLevel(outcome))
      return type === 'dead' || type === 'breaker' || (type === 'retry-scheduled' && logger.isOn('debug'))
    },
    write(event, errors, subject) {
      const { topic = 'A delivery' } = subject
      if (event.type === 'finished') writeFinished(event, errors, subject)
      if (event.type === 'breaker') logger.warn(describeBreaker(event, topic), { topic })
      if (event.type === 'retry-scheduled') {
        const { resource, attempt, code, delayMs } = event
        logger.debug(`${topic}: the next attempt is in ${delayMs} ms.`, { topic, resource, attempt, code })
      }
      if (event.type === 'dead') {
        const { resource, attempt, code, handler, count } = event
        const dead = count > 1 ? `${count} deliveries are dead letters now.` : 'The delivery is a dead letter now.'
        logger.error(`${topic}: ${dead} ${code}.`, { topic, resource, attempt, code, handler })
      }
    },
  }
}

function toLevel(outcome: string | undefined): 'info' | 'debug' {
  return outcome === 'handled' ? 'info' : 'debug'
}

function describeBreaker({ level, consecutiveFailures }: ObservedEvent<'breaker'>, topic: string): string {
  if (level === 'mismatch') {
    return `${topic}: none of the last ${consecutiveFailures} signatures matched. Was the secret replaced?`
  }
  const left = FAILURES_TO_OPEN - consecutiveFailures
  return `${topic}: ${consecutiveFailures} failures in a row. After ${left} more, Commerce Layer stops sending it.`
}

/**
 * A refused request is a warning; a genuine delivery that fails is an error.
 *
 * @param count how many errors the line stands for.
 * @param about says which delivery it was, once that is known.
 */
export function logError(
  error: Error,
  topic: string | undefined,
  count: number,
  logger: Logger,
  about: Readonly<Record<string, unknown>> = {},
): void {
  const fields = {
    ...(topic && { topic }),
    ...about,
    ...(count > 1 && { count }),
    ...(error.cause !== undefined && { cause: error.cause }),
  }
  if (!isWebhookError(error)) {
    logger.error(`${topic} discarded: ${error.message}`, fields)
    return
  }
  const { code, status, message, hint } = error
  const more = count > 1 ? ` ${count - 1} more since this was logged last.` : ''
  const line = `${topic ?? 'A request'}: ${status} ${code}. ${hint ?? message}${more}`
  logger[status >= 500 ? 'error' : 'warn'](line, { code, ...fields })
}
