import { checkMethods, findNearest } from './check-options.ts'
import { isPermanentError } from './errors.ts'
import type { Logger } from './logger.ts'
import { isPromise } from './maybe-promise.ts'
import type { AttemptInfo, EventDetails, EventType, ObservedEvent, Observer } from './observed-events.ts'
import { createSampling } from './sampling.ts'

/** What an event is made of. */
export interface Subject {
  readonly topic: string | undefined
  readonly delivery?: { readonly id: string } | undefined
  readonly event?: { readonly id: string } | undefined
  readonly parsed?: Parsed | undefined
  readonly attempt?: number | undefined
  readonly attempts?: number | undefined
  scope?: object | undefined
  /** With a recorder only: the handlers that were started. */
  readonly handlers?: HandlerRun[] | undefined
}

/** One handler in one attempt. */
export interface HandlerRun {
  readonly name: string
  /** `running` until it has ended, which may be after the answer. */
  outcome: 'handled' | 'failed' | 'discarded' | 'running'
  /** Of `performance.now()`. */
  readonly startedAt: number
  /** Absent while it is running. */
  durationMs?: number
  /** What it has thrown. */
  thrown?: unknown
}

/** What a document says. */
export interface Parsed {
  readonly reference: { readonly type: string; readonly id: string } | undefined
  readonly mode?: 'test' | 'live' | undefined
  readonly organizationId?: string | undefined
}

type Wrapper = NonNullable<Observer['wrapHandler']>

/** The log, which is also told the errors, and the delivery as it came. */
export interface EventLog {
  takes(type: EventType, outcome: string | undefined): boolean
  write(event: ObservedEvent, errors: readonly Error[], subject: Subject): void
}

export interface Observation {
  /** Whether an observer is told of events of this type. */
  isObserved(type: EventType): boolean
  /** Whether anybody is told that a delivery has ended. */
  takesEnd(outcome: string): boolean
  /** @param errors are for the log alone. */
  emit<T extends EventType>(type: T, subject: Subject, details: EventDetails[T], errors?: readonly Error[]): void
  /** Runs a handler inside of the observers; absent if none looks at handlers. */
  readonly runHandler?: ((subject: Subject, handler: string, run: () => unknown) => unknown) | undefined
  /** The trace context to store with a delivery. */
  toTraceparent(subject: Subject): string | undefined
  /** Calls a recorder or an observer. What it throws is logged once a minute, and has no other effect. */
  call(run: () => unknown): void
}

/** A class, because a literal with getters makes V8 keep small deliveries for long. */
class Info implements AttemptInfo {
  readonly scope: object
  readonly topic: string | undefined
  readonly resource: AttemptInfo['resource']
  readonly organizationId: string | undefined
  readonly mode: 'test' | 'live' | undefined
  readonly attempt: number | undefined
  readonly attempts: number | undefined
  readonly #subject: Subject

  constructor(subject: Subject, topic: string | undefined) {
    const { parsed, attempt, attempts } = subject
    subject.scope ??= {}
    this.scope = subject.scope
    this.topic = topic
    this.resource = parsed?.reference
    this.organizationId = parsed?.organizationId
    this.mode = parsed?.mode
    this.attempt = attempt
    this.attempts = attempts
    this.#subject = subject
  }

  get deliveryId(): string | undefined {
    return this.#subject.delivery?.id
  }

  get eventId(): string | undefined {
    try {
      return this.#subject.event?.id
    } catch {
      return undefined // The document has no canonical form.
    }
  }

  toJSON(): Readonly<Record<string, unknown>> {
    const { scope, ...others } = this
    return { ...others, deliveryId: this.deliveryId }
  }
}

const TYPES: Readonly<Record<EventType, true>> = {
  received: true,
  refused: true,
  stored: true,
  'handler-started': true,
  'handler-finished': true,
  finished: true,
  'retry-scheduled': true,
  dead: true,
  breaker: true,
}

/** @see https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

/** A trace context, if a value has the form of one. */
export function readTraceparent(value: unknown): string | undefined {
  return typeof value === 'string' && TRACEPARENT.test(value) ? value : undefined
}

/** Milliseconds since a time of `performance.now()`, to the microsecond. */
export function millisecondsSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 1000) / 1000
}

/**
 * @param isKnown tells the topics that nobody has made up.
 * @param recorder with one, handlers are added to their subject.
 * @throws TypeError if they are no list, or an observer has no method or names a type that there is not.
 */
export function createObservation(
  observers: readonly Observer[],
  log: EventLog,
  logger: Logger,
  isKnown: (topic: string) => boolean,
  recorder?: unknown,
): Observation {
  if (!Array.isArray(observers)) throw new TypeError('`observers` must be a list.')
  for (const observer of observers) checkObserver(observer)
  const failures = createSampling()
  const wrappers = observers.flatMap((one) => one.wrapHandler?.bind(one) ?? [])
  const tracers = observers.flatMap((one) => one.toTraceparent?.bind(one) ?? [])
  const listeners = Object.fromEntries(
    Object.keys(TYPES).map((type) => [type, observers.flatMap((one) => findListener(one, type) ?? [])]),
  ) as Record<EventType, NonNullable<Observer['onEvent']>[]>

  const logFailure = (cause: unknown) => {
    if (failures.count('') > 0)
      logger.warn('The recorder or an observer failed. Deliveries are not affected.', { cause })
  }

  function call(run: () => unknown): void {
    try {
      const result = run()
      if (isPromise(result)) result.then(undefined, logFailure)
    } catch (cause) {
      logFailure(cause)
    }
  }

  function isObserved(type: EventType): boolean {
    return listeners[type].length > 0
  }

  function tell(event: ObservedEvent): void {
    for (const onEvent of listeners[event.type]) call(() => onEvent(event))
  }

  function toInfo(subject: Subject): Info {
    const { topic } = subject
    return new Info(subject, topic !== undefined && isKnown(topic) ? topic : undefined)
  }

  function toEvent<T extends EventType>(type: T, subject: Subject, details: EventDetails[T]): ObservedEvent {
    return Object.assign(toInfo(subject), { type, ...details }) as unknown as ObservedEvent
  }

  function emit<T extends EventType>(
    type: T,
    subject: Subject,
    details: EventDetails[T],
    errors: readonly Error[] = [],
  ): void {
    const isLogged = log.takes(type, 'outcome' in details ? details.outcome : undefined)
    if (!isLogged && !isObserved(type)) return
    const event = toEvent(type, subject, details)
    if (isLogged) log.write(event, errors, subject)
    tell(event)
  }

  /** The handler's own result, whatever an observer makes of it. */
  function wrap(wrapHandler: Wrapper, info: ObservedEvent<'handler-started'>, run: () => unknown): unknown {
    let ended: { readonly result?: unknown; readonly thrown?: unknown } | undefined
    const once = () => {
      ended ??= attempt(run)
      if ('thrown' in ended) throw ended.thrown
      return ended.result
    }
    try {
      const wrapped = wrapHandler(info, once)
      // It rejects as the handler does, which is reported elsewhere.
      if (isPromise(wrapped)) wrapped.then(undefined, () => {})
    } catch (cause) {
      if (!ended || ended.thrown !== cause) logFailure(cause)
    }
    return once()
  }

  function runHandler(subject: Subject, handler: string, run: () => unknown): unknown {
    const info = toEvent('handler-started', subject, { handler }) as ObservedEvent<'handler-started'>
    tell(info)
    const startedAt = performance.now()
    const recorded: HandlerRun = { name: handler, outcome: 'running', startedAt }
    subject.handlers?.push(recorded)
    const finish = (outcome: 'handled' | 'failed' | 'discarded', thrown?: unknown) => {
      const durationMs = millisecondsSince(startedAt)
      Object.assign(recorded, { outcome, durationMs, thrown })
      emit('handler-finished', subject, { handler, outcome, durationMs })
    }
    const fail = (thrown: unknown) => {
      finish(isPermanentError(thrown) ? 'discarded' : 'failed', thrown)
      throw thrown
    }
    let result: unknown
    try {
      const runOnce = () => settleOnce(run())
      result = wrappers.reduceRight<() => unknown>((inner, one) => () => wrap(one, info, inner), runOnce)()
    } catch (thrown) {
      return fail(thrown)
    }
    if (isPromise(result)) return result.then(() => finish('handled'), fail)
    finish('handled')
    return undefined
  }

  const observesEnd = isObserved('finished')
  const looksAtHandlers =
    recorder || wrappers.length > 0 || isObserved('handler-started') || isObserved('handler-finished')
  return {
    isObserved,
    takesEnd: (outcome) => observesEnd || log.takes('finished', outcome),
    emit,
    call,
    runHandler: looksAtHandlers ? runHandler : undefined,
    toTraceparent(subject) {
      for (const toTraceparent of tracers) {
        try {
          const traceparent = readTraceparent(toTraceparent(toInfo(subject)))
          if (traceparent) return traceparent
        } catch (cause) {
          logFailure(cause)
        }
      }
      return undefined
    },
  }
}

/** The query builder of a database runs its query at each call of `then`, and each observer may call it. */
function settleOnce(result: unknown): unknown {
  return isPromise(result) ? Promise.resolve(result) : result
}

function attempt(run: () => unknown): { readonly result: unknown } | { readonly thrown: unknown } {
  try {
    return { result: run() }
  } catch (thrown) {
    return { thrown }
  }
}

/** The method of an observer that takes the events of a type, if it has one. */
function findListener(observer: Observer, type: string): Observer['onEvent'] {
  const types: readonly string[] = observer.events ?? [type]
  return types.includes(type) ? observer.onEvent?.bind(observer) : undefined
}

const METHODS = ['onEvent', 'wrapHandler', 'toTraceparent'] as const

function checkObserver(observer: Observer): void {
  const given = METHODS.filter((name) => observer?.[name] !== undefined)
  if (given.length === 0) throw new TypeError(`Each of \`observers\` needs one of ${METHODS.join(', ')}.`)
  checkMethods('observers', observer, given)
  for (const type of observer.events ?? []) {
    if (!Object.hasOwn(TYPES, type)) {
      const known = Object.keys(TYPES)
      const meant = findNearest(String(type), known) ?? known.join(', ')
      throw new TypeError(`There is no event of type '${String(type)}' to observe. Did you mean ${meant}?`)
    }
  }
}
