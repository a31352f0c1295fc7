import { admit, readBody } from './core/admit.ts'
import { authenticate, claimOf, type Delivery, deliveryOf } from './core/authenticate.ts'
import { createBreaker } from './core/breaker.ts'
import { createDeadline, type Deadline } from './core/deadline.ts'
import { dispatch, IGNORED, inTime, type Outcome, QUEUED, type Run } from './core/dispatch.ts'
import { checkedDocument } from './core/document.ts'
import { isWebhookError, toWebhookError, WebhookError } from './core/errors.ts'
import { eventOf, type WebhookEvent } from './core/event.ts'
import { createGate } from './core/gate.ts'
import {
  createHandlers,
  type Handler,
  type HandlerOptions,
  type Subscription,
  type TopicPattern,
  type TopicsOf,
} from './core/handlers.ts'
import { createIdempotency } from './core/idempotency.ts'
import type { Attempt, StoredDelivery } from './core/inbox.ts'
import { keep } from './core/keep.ts'
import { defaultLogger, unfailing } from './core/logger.ts'
import { type ReceiverOptions, settingsOf } from './core/options.ts'
import type { OutcomeName } from './core/outcomes.ts'
import { type Eventually, isPromise, pipe } from './core/pipe.ts'
import { type ErrorContext, type ErrorHandler, report } from './core/report.ts'
import { bytesOf, type ReceiveOptions, type WebhookRequest, type WebhookResponse } from './core/request.ts'
import { respond, respondError } from './core/respond.ts'
import { createSecrets } from './core/secrets.ts'

/** Receives deliveries: verifies, parses, dispatches and answers. Made by {@link createReceiver}. */
export interface Receiver {
  /**
   * Registers a handler for a topic, several, all of a resource (`orders.*`) or every topic (`*`). The handlers of an event
   * run side by side; it is acknowledged when all have succeeded.
   *
   * @throws TypeError if a topic or an option is malformed or the handler is no function. A topic that is not in the catalogue is
   * registered with a warning.
   */
  on<const P extends TopicPattern>(topics: P | readonly P[], handler: Handler<TopicsOf<P>>): Receiver
  on<const P extends TopicPattern, const Path extends string = never>(
    topics: P | readonly P[],
    options: HandlerOptions<Path>,
    handler: Handler<TopicsOf<P>, Path>,
  ): Receiver
  /** Registers what is told about errors, for an error tracker for instance. It is awaited, up to the deadline. */
  onError(handler: ErrorHandler): Receiver
  /** Takes a request, of whatever origin, to its answer. Never rejects. */
  receive(request: WebhookRequest, options?: ReceiveOptions): Promise<WebhookResponse>
  /**
   * Runs the handlers for an event that Commerce Layer's API gave, as an event callback's `payload` or as a resource that was
   * fetched: there is no signature to verify, so hand it nothing that a stranger can have written. Its `id` equals that of the
   * original delivery. Nobody waits for the answer, so there is no deadline.
   *
   * @param document the JSON:API document.
   * @throws WebhookError as its delivery would have been answered, once the log and `onError` have been told.
   */
  redeliver(topic: string, document: unknown): Promise<OutcomeName>
  /**
   * Handles a delivery that an inbox has stored, or a queue of yours: parses it and runs its handlers, without a deadline. A worker
   * calls it, and whoever is pushed messages (SQS, a cron route). Hand it nothing but what a receiver has stored.
   *
   * @throws WebhookError when it is to be tried again (`retryable`) or never; the `PermanentError` of a handler.
   */
  process(delivery: Omit<StoredDelivery, 'id' | 'group'>, attempt?: Partial<Attempt>): Promise<void>
  /** What the registered handlers listen to and need, in the order of their registration. */
  subscriptions(): readonly Subscription[]
  /** Answers new deliveries 503; resolves when those under way have ended, late handlers included, however late they are. */
  close(): Promise<void>
}

/**
 * Makes a receiver: `createReceiver({ secrets: { 'orders.place': process.env.CL_SECRET_ORDERS_PLACE } })`.
 *
 * @throws TypeError if an option is unknown or out of range, or a secret is missing, empty or has white space at its ends.
 */
export function createReceiver(options: ReceiverOptions): Receiver {
  const { deadlineMs, maxInFlight, ordering, protectBreaker, ...limits } = settingsOf(options)
  const { inbox } = options
  const logger = unfailing(options.logger ?? defaultLogger)
  const secrets = createSecrets(options.secrets)
  const handlers = createHandlers(secrets, logger)
  const errorHandlers: ErrorHandler[] = []
  const gate = createGate(maxInFlight)
  const breaker = createBreaker(logger)
  const idempotency = options.idempotency && createIdempotency(options.idempotency, logger, gate.waitFor)
  if (deadlineMs > 5000) logger.warn('`deadlineMs` is over 5,000: the sender does not wait that long.')

  /** The road: each stage takes what the one before it made. */
  function walk(request: WebhookRequest, journey: Journey): Eventually<Outcome> {
    const receivedAt = new Date()
    admit(request, limits)
    const claim = claimOf(request.headers)
    journey.topic = claim.topic
    return pipe(
      readBody(request, limits, journey.deadline),
      (body) => authenticate(claim, body, receivedAt, secrets, journey.deadline),
      (delivery) => {
        journey.counted = delivery.topic
        const isKept = inbox && (!protectBreaker || breaker.isClose(delivery.topic))
        return isKept ? keep(delivery, inbox, ordering, journey.deadline) : walkOn(delivery, journey)
      },
    )
  }

  /** The road from where it does not matter any more how the delivery came. */
  function walkOn(delivery: Eventually<Delivery>, journey: Journey): Eventually<Outcome> {
    return pipe(
      delivery,
      (genuine) => eventOf(genuine),
      (event) => handle(event, journey),
    )
  }

  function handle(event: WebhookEvent, journey: Journey): Eventually<Outcome> {
    journey.event = event
    const registrations = handlers.of(event.topic)
    if (registrations.length === 0) return IGNORED
    if (journey.deadline.remaining() === 0) throw new WebhookError('DEADLINE_EXCEEDED')
    if (journey.signal?.aborted) throw new WebhookError('SHUTTING_DOWN')
    if (!idempotency) return begin(event, () => dispatch(event, registrations, logger), journey)
    return pipe(idempotency.claim(event, journey.deadline), (claimed) =>
      'name' in claimed ? claimed : begin(event, () => claimed.run(registrations), journey),
    )
  }

  /** Runs the handlers now, or in the background. */
  function begin(event: WebhookEvent, start: () => Run, journey: Journey): Eventually<Outcome> {
    const { background, deadline, signal } = journey
    if (background) {
      const unhurried = { ...journey, background: undefined, deadline: UNHURRIED }
      later(background, () => conclude(() => begin(event, start, unhurried), unhurried, answerOf))
      return QUEUED
    }
    const run = start()
    const stop = () => run.abort(new WebhookError('SHUTTING_DOWN'))
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop)
    return inTime(run, event, deadline, logger, gate.waitFor)
  }

  /** After the answer, and not at all if the platform does not take the work. */
  function later(background: NonNullable<ReceiveOptions['background']>, run: () => Promise<unknown>): void {
    let isTaken = false
    const work = new Promise((resolve) => setTimeout(resolve, 0)).then(() => (isTaken ? run() : undefined))
    background(work)
    isTaken = true
    gate.count(work)
  }

  /** The end of the road, and the one place where whatever was thrown on it becomes an error. */
  async function conclude<T>(
    walked: () => Eventually<Outcome>,
    journey: Journey,
    answer: (ended: Outcome | WebhookError) => T,
    leave = () => {},
  ): Promise<T> {
    const { deadline } = journey
    try {
      const ended = walked()
      const outcome = isPromise(ended) ? await ended : ended
      if (journey.counted) breaker.count(journey.counted, false)
      for (const error of outcome.errors) await report(error, journey, errorHandlers, deadline, logger)
      logger.debug(`${journey.topic} ${outcome.name}`, { topic: journey.topic, outcome: outcome.name })
      return answer(outcome)
    } catch (thrown) {
      const error = toWebhookError(thrown)
      if (journey.counted) journey.failuresInRow = breaker.count(journey.counted, true)
      await report(error, journey, errorHandlers, deadline, logger)
      return answer(error)
    } finally {
      leave()
    }
  }

  /** For what did not come over HTTP, and need not be answered. */
  async function enter(topic: string, delivery: () => Eventually<Delivery>, signal?: AbortSignal): Promise<Outcome> {
    const refusal = gate.enter()
    if (refusal) throw refusal
    const journey = { ...createJourney(UNHURRIED), topic, signal }
    return conclude(() => walkOn(delivery(), journey), journey, orThrow, gate.leave)
  }

  const receiver: Receiver = {
    on(topics: string | readonly string[], ...rest: readonly unknown[]) {
      const [options, handler] = rest.length > 1 ? rest : [{}, ...rest]
      handlers.add(topics, options as HandlerOptions, handler as Handler)
      return receiver
    },
    onError(handler) {
      if (typeof handler !== 'function') throw new TypeError('The handler given to `onError` is not a function.')
      errorHandlers.push(handler)
      return receiver
    },
    receive(request, { background } = {}) {
      const journey = createJourney(createDeadline(deadlineMs), background)
      const refusal = gate.enter()
      return refusal
        ? conclude(() => Promise.reject(refusal), journey, answerOf)
        : conclude(() => walk(request, journey), journey, answerOf, gate.leave)
    },
    async redeliver(topic, document) {
      const bytes = () => bytesOf(JSON.stringify(checkedDocument(document)))
      const { name } = await enter(topic, () => deliveryOf(topic, bytes(), new Date()))
      return name
    },
    async process({ topic, body, receivedAt }, { signal } = {}) {
      const { errors } = await enter(topic, () => deliveryOf(topic, body, receivedAt), signal)
      for (const error of errors) throw error
    },
    subscriptions: () => handlers.all().map(({ topics, include }) => ({ topics, include })),
    close: gate.close,
  }
  return receiver
}

function answerOf(ended: Outcome | WebhookError): WebhookResponse {
  return isWebhookError(ended) ? respondError(ended) : respond(ended.name)
}

function orThrow(ended: Outcome | WebhookError): Outcome {
  if (isWebhookError(ended)) throw ended
  return ended
}

/** What is known of a delivery on its way, which is also what error handlers are told. */
interface Journey extends Mutable<ErrorContext> {
  readonly deadline: Deadline
  readonly background: ReceiveOptions['background']
  readonly signal: AbortSignal | undefined
  /** The topic for which the sender's circuit breaker counts the answer: that of a delivery which is genuine. */
  counted: string | undefined
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

function createJourney(deadline: Deadline, background?: Journey['background']): Journey {
  return {
    deadline,
    background,
    signal: undefined,
    topic: undefined,
    event: undefined,
    failuresInRow: 0,
    counted: undefined,
  }
}

/** For handlers that nobody waits for. */
const UNHURRIED: Deadline = { remaining: () => Number.POSITIVE_INFINITY }
