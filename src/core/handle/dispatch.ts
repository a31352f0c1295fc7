import { type Deadline, withTimeout } from '../deadline.ts'
import { isPermanentError, recordHandler, WebhookError } from '../errors.ts'
import { copyEvent, describeEvent, type WebhookEvent } from '../event/event.ts'
import { findMissingInclude } from '../event/include.ts'
import { bindLogger, type Logger } from '../logger.ts'
import { isPromise, type MaybePromise } from '../maybe-promise.ts'
import type { Observation, Subject } from '../observe.ts'
import { HANDLED, type Outcome } from '../outcome.ts'
import type { HandlerContext, Registration } from './handlers.ts'

/** The handlers of an event while they run. */
export interface Run {
  /** The outcome of all handlers; rejects with the error of the answer. */
  readonly ended: MaybePromise<Outcome>
  /** The errors that handlers have thrown so far. */
  readonly failures: readonly unknown[]
  /** Aborts the signal of the handlers. */
  abort(reason: WebhookError): void
}

/**
 * Starts the handlers of an event side by side. The run ends when all of them have ended, also if one fails first. It
 * rejects with `INCLUDE_MISSING`, or with `HANDLER_FAILED` and the error as its cause (an `AggregateError` for
 * several). The first handler gets the event, and each of the others a copy.
 *
 * @param subject what observers are told of the delivery.
 * @param succeeded is called for each handler that succeeds.
 */
export function dispatch(
  event: WebhookEvent,
  registrations: readonly Registration[],
  logger: Logger,
  observation: Observation,
  subject: Subject,
  succeeded: (registration: Registration) => void = () => {},
): Run {
  const abortion = new Abortion()
  const failures: unknown[] = []
  const missing = findMissingInclude(event, registrations)
  const runHandler: RunHandler = (own, { handler, name }) =>
    handler(own, new Context(abortion, logger, event, name, subject.attempt))
  const run = observation.runHandler ? observe(runHandler, observation.runHandler, subject) : runHandler
  const ended = missing ? Promise.reject(missing) : runAll(event, registrations, run, failures, succeeded)
  return { ended, failures, abort: (reason) => abortion.abort(reason) }
}

type RunHandler = (event: WebhookEvent, registration: Registration) => unknown

/** Lets observers look at a handler while it runs. */
function observe(run: RunHandler, runObserved: NonNullable<Observation['runHandler']>, subject: Subject): RunHandler {
  return (event, registration) => runObserved(subject, registration.name, () => run(event, registration))
}

function runAll(
  event: WebhookEvent,
  registrations: readonly Registration[],
  run: RunHandler,
  failures: unknown[],
  succeeded: (registration: Registration) => void,
): MaybePromise<Outcome> {
  const running: Promise<unknown>[] = []
  const failed: string[] = []
  const fail = (thrown: unknown, { name }: Registration) => {
    failures.push(recordHandler(thrown, name))
    failed.push(name)
  }
  const end = () => toOutcome(failures, failed.join(', '))
  for (const registration of registrations) {
    const own = registration === registrations[0] ? event : copyEvent(event)
    try {
      const result = run(own, registration)
      if (isPromise(result)) {
        const ended = Promise.resolve(result).then(() => succeeded(registration))
        running.push(ended.catch((thrown) => fail(thrown, registration)))
      } else succeeded(registration)
    } catch (thrown) {
      fail(thrown, registration)
    }
  }
  return running.length === 0 ? end() : Promise.all(running).then(end)
}

/**
 * Waits for a run until the deadline, and then aborts it. Late handlers go on until they end.
 *
 * @param whenLate is called with a promise of the end of late handlers.
 * @throws WebhookError `DEADLINE_EXCEEDED`, or the error of the run.
 */
export function finishInTime(
  run: Run,
  { topic, delivery }: WebhookEvent,
  deadline: Deadline,
  logger: Logger,
  whenLate: (rest: Promise<unknown>) => void,
): MaybePromise<Outcome> {
  const { ended } = run
  if (!isPromise(ended)) return ended
  const logLateEnd = () => {
    const ms = Date.now() - delivery.receivedAt.getTime()
    const { failures } = run
    logger.warn(`${topic}: the handlers ended after ${ms} ms, after the deadline.`, {
      topic,
      ms,
      ...(failures.length > 0 && { cause: toCause(failures) }),
    })
  }
  return withTimeout(ended, deadline.remaining(), () => {
    const error = new WebhookError('DEADLINE_EXCEEDED')
    run.abort(error)
    whenLate(ended.then(logLateEnd, logLateEnd))
    return error
  })
}

function toOutcome(failures: readonly unknown[], failed: string): MaybePromise<Outcome> {
  if (failures.length === 0) return HANDLED
  if (failures.every(isPermanentError)) return { name: 'discarded', errors: failures }
  return Promise.reject(recordHandler(new WebhookError('HANDLER_FAILED', { cause: toCause(failures) }), failed))
}

function toCause(failures: readonly unknown[]): unknown {
  return failures.length === 1 ? failures[0] : new AggregateError(failures, `${failures.length} handlers failed.`)
}

/** The controller is made when a handler reads `signal`: most never do. */
class Abortion {
  #controller: AbortController | undefined
  #reason: WebhookError | undefined

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

/** A class, because an object literal with getters takes a tenth of the time of a small delivery. */
class Context implements HandlerContext {
  readonly #abortion: Abortion
  readonly #logger: Logger
  readonly #event: WebhookEvent
  readonly #handler: string
  readonly #attempt: number | undefined

  constructor(abortion: Abortion, logger: Logger, event: WebhookEvent, handler: string, attempt: number | undefined) {
    this.#abortion = abortion
    this.#logger = logger
    this.#event = event
    this.#handler = handler
    this.#attempt = attempt
  }

  get signal(): AbortSignal {
    return this.#abortion.signal
  }

  get logger(): Logger {
    const own = { handler: this.#handler, attempt: this.#attempt }
    return bindLogger(this.#logger, (fields) => describeEvent(this.#event, { ...own, ...fields }))
  }
}
