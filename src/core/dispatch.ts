import { type Deadline, within } from './deadline.ts'
import { isPermanentError, type PermanentError, WebhookError } from './errors.ts'
import type { WebhookEvent } from './event.ts'
import type { Handler, HandlerContext, Registration } from './handlers.ts'
import { checkIncluded } from './include.ts'
import type { Logger } from './logger.ts'
import type { OutcomeName } from './outcomes.ts'
import { type Eventually, isPromise } from './pipe.ts'

/** How a dispatch ended; `errors` are the permanent ones that were acknowledged all the same. */
export interface Outcome {
  readonly name: OutcomeName
  readonly errors: readonly PermanentError[]
}

const HANDLED: Outcome = { name: 'handled', errors: [] }
/** The handlers run after the answer. */
export const QUEUED: Outcome = { name: 'queued', errors: [] }
const IGNORED: Outcome = { name: 'ignored', errors: [] }

/**
 * Runs the handlers of an event side by side and waits for all of them, whichever fails first.
 *
 * @param whenLate is given what still runs after the deadline.
 * @throws WebhookError `INCLUDE_MISSING`; `HANDLER_FAILED` with the failure as its cause (an `AggregateError` if there were
 * several); or `DEADLINE_EXCEEDED`.
 */
export function dispatch(
  event: WebhookEvent,
  registrations: readonly Registration[],
  deadline: Deadline,
  logger: Logger,
  whenLate: (rest: Promise<unknown>) => void,
): Eventually<Outcome> {
  if (registrations.length === 0) return IGNORED
  if (deadline.remaining() === 0) throw new WebhookError('DEADLINE_EXCEEDED')
  checkIncluded(
    event,
    registrations.flatMap(({ include }) => include),
  )
  const context = new Context(logger)
  const failures: unknown[] = []
  const running = registrations.flatMap(({ handler }) => start(handler, event, context, failures) ?? [])
  if (running.length === 0) return outcomeOf(failures)
  const ended = Promise.all(running)
  const inTime = within(ended, deadline.remaining(), () => {
    const error = new WebhookError('DEADLINE_EXCEEDED')
    context.abort(error)
    whenLate(ended.then(() => logLateEnd(event, failures, logger)))
    return error
  })
  return inTime.then(() => outcomeOf(failures))
}

/** Calls one handler; a promise, which never rejects, if it has not ended by the time it returns. */
function start(
  handler: Handler,
  event: WebhookEvent,
  context: HandlerContext,
  failures: unknown[],
): Promise<unknown> | undefined {
  const fail = (thrown: unknown) => failures.push(thrown)
  try {
    const result = handler(event, context)
    return isPromise(result) ? Promise.resolve(result).catch(fail) : undefined
  } catch (thrown) {
    fail(thrown)
    return undefined
  }
}

function outcomeOf(failures: readonly unknown[]): Outcome {
  if (failures.length === 0) return HANDLED
  if (failures.every(isPermanentError)) return { name: 'discarded', errors: failures }
  const cause =
    failures.length === 1 ? failures[0] : new AggregateError(failures, `${failures.length} handlers failed.`)
  throw new WebhookError('HANDLER_FAILED', { cause })
}

function logLateEnd({ topic, delivery }: WebhookEvent, failures: readonly unknown[], logger: Logger): void {
  const ms = Date.now() - delivery.receivedAt.getTime()
  const fields = { topic, ms, failures }
  logger.warn(`${topic} ended after ${ms} ms, too late.`, fields)
}

/** The controller is made when a handler asks for the signal: most never do. */
class Context implements HandlerContext {
  readonly logger: Logger
  #controller: AbortController | undefined
  #reason: WebhookError | undefined

  constructor(logger: Logger) {
    this.logger = logger
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#reason) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  abort(reason: WebhookError): void {
    this.#reason = reason
    this.#controller?.abort(reason)
  }
}
