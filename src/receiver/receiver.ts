import { ANSWER_TIMEOUT_MS } from '../commerce-layer/limits.ts'
import { createDeadline, type Deadline } from '../core/deadline.ts'
import { isWebhookError, toWebhookError, WebhookError } from '../core/errors.ts'
import { checkDocument } from '../core/event/document.ts'
import { parseEvent, type WebhookEvent } from '../core/event/event.ts'
import { dispatch, finishInTime, type Run } from '../core/handle/dispatch.ts'
import { createFailureStreak } from '../core/handle/failure-streak.ts'
import { createGate } from '../core/handle/gate.ts'
import {
  createHandlers,
  type Handler,
  type HandlerOptions,
  type Subscription,
  type TopicPattern,
  type TopicsOf,
} from '../core/handle/handlers.ts'
import { type ErrorContext, type ErrorHandler, report } from '../core/handle/report.ts'
import { admit, readBody } from '../core/http/admit.ts'
import { type ReceiveOptions, toBytes, type WebhookRequest, type WebhookResponse } from '../core/http/request.ts'
import { respond, respondError } from '../core/http/respond.ts'
import { createIdempotency } from '../core/idempotency/idempotency.ts'
import type { DeliveryAttempt, StoredDelivery } from '../core/inbox/inbox.ts'
import { storeDelivery } from '../core/inbox/store-delivery.ts'
import { defaultLogger, safeLogger } from '../core/logger.ts'
import { isPromise, type MaybePromise, pipe } from '../core/maybe-promise.ts'
import { IGNORED, type Outcome, QUEUED } from '../core/outcome.ts'
import type { OutcomeName } from '../core/outcomes.ts'
import { authenticate, type Delivery, readSignedHeaders, toDelivery } from '../core/verify/authenticate.ts'
import { createSecrets } from '../core/verify/secrets.ts'
import { checkReceiverOptions, type ReceiverOptions } from './options.ts'

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
  handleStored(delivery: Omit<StoredDelivery, 'id' | 'group'>, attempt?: Partial<DeliveryAttempt>): Promise<void>
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
  const { deadlineMs, maxInFlight, ordering, inboxMode, ...limits } = checkReceiverOptions(options)
  const { inbox } = options
  const logger = safeLogger(options.logger ?? defaultLogger)
  const secrets = createSecrets(options.secrets)
  const handlers = createHandlers(secrets, logger)
  const errorHandlers: ErrorHandler[] = []
  const gate = createGate(maxInFlight)
  const failureStreak = createFailureStreak(logger)
  const idempotency = options.idempotency && createIdempotency(options.idempotency, logger, gate.waitFor)
  if (deadlineMs > ANSWER_TIMEOUT_MS) logger.warn('`deadlineMs` is over 5,000: Commerce Layer does not wait that long.')

  /** The road: each stage takes what the one before it made. */
  function verifyAndHandle(request: WebhookRequest, context: DeliveryContext): MaybePromise<Outcome> {
    const receivedAt = new Date()
    admit(request, limits)
    const claim = readSignedHeaders(request.headers)
    context.topic = claim.topic
    return pipe(
      readBody(request, limits, context.deadline),
      (body) => authenticate(claim, body, receivedAt, secrets, context.deadline),
      (delivery) => {
        context.counted = delivery.topic
        const isStored = inbox && (inboxMode === 'always' || failureStreak.isNearlyOpen(delivery.topic))
        return isStored ? storeDelivery(delivery, inbox, ordering, context.deadline) : handleDelivery(delivery, context)
      },
    )
  }

  /** The road from where it does not matter any more how the delivery came. */
  function handleDelivery(delivery: MaybePromise<Delivery>, context: DeliveryContext): MaybePromise<Outcome> {
    return pipe(
      delivery,
      (genuine) => parseEvent(genuine),
      (event) => handleEvent(event, context),
    )
  }

  function handleEvent(event: WebhookEvent, context: DeliveryContext): MaybePromise<Outcome> {
    context.event = event
    const registrations = handlers.forTopic(event.topic)
    if (registrations.length === 0) return IGNORED
    if (context.deadline.remaining() === 0) throw new WebhookError('DEADLINE_EXCEEDED')
    if (context.signal?.aborted) throw new WebhookError('SHUTTING_DOWN')
    if (!idempotency) return startHandlers(event, () => dispatch(event, registrations, logger), context)
    return pipe(idempotency.reserve(event, context.deadline), (claimed) =>
      'name' in claimed ? claimed : startHandlers(event, () => claimed.run(registrations), context),
    )
  }

  /** Runs the handlers now, or in the background. */
  function startHandlers(event: WebhookEvent, start: () => Run, context: DeliveryContext): MaybePromise<Outcome> {
    const { background, deadline, signal } = context
    if (background) {
      const unhurried = { ...context, background: undefined, deadline: NO_DEADLINE }
      runInBackground(background, () => finish(() => startHandlers(event, start, unhurried), unhurried, toResponse))
      return QUEUED
    }
    const run = start()
    const stop = () => run.abort(new WebhookError('SHUTTING_DOWN'))
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop)
    return finishInTime(run, event, deadline, logger, gate.waitFor)
  }

  /** After the answer, and not at all if the platform does not take the work. */
  function runInBackground(background: NonNullable<ReceiveOptions['background']>, run: () => Promise<unknown>): void {
    let isTaken = false
    const work = new Promise((resolve) => setTimeout(resolve, 0)).then(() => (isTaken ? run() : undefined))
    background(work)
    isTaken = true
    gate.count(work)
  }

  /** The end of the road, and the one place where whatever was thrown on it becomes an error. */
  async function finish<T>(
    walked: () => MaybePromise<Outcome>,
    context: DeliveryContext,
    answer: (ended: Outcome | WebhookError) => T,
    leave = () => {},
  ): Promise<T> {
    const { deadline } = context
    try {
      const ended = walked()
      const outcome = isPromise(ended) ? await ended : ended
      if (context.counted) failureStreak.count(context.counted, false)
      for (const error of outcome.errors) await report(error, context, errorHandlers, deadline, logger)
      logger.debug(`${context.topic} ${outcome.name}`, { topic: context.topic, outcome: outcome.name })
      return answer(outcome)
    } catch (thrown) {
      const error = toWebhookError(thrown)
      if (context.counted) context.consecutiveFailures = failureStreak.count(context.counted, true)
      await report(error, context, errorHandlers, deadline, logger)
      return answer(error)
    } finally {
      leave()
    }
  }

  /** For what did not come over HTTP, and need not be answered. */
  async function handleWithoutRequest(
    topic: string,
    delivery: () => MaybePromise<Delivery>,
    signal?: AbortSignal,
  ): Promise<Outcome> {
    const refusal = gate.enter()
    if (refusal) throw refusal
    const context = { ...createContext(NO_DEADLINE), topic, signal }
    return finish(() => handleDelivery(delivery(), context), context, throwIfError, gate.leave)
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
      const context = createContext(createDeadline(deadlineMs), background)
      const refusal = gate.enter()
      return refusal
        ? finish(() => Promise.reject(refusal), context, toResponse)
        : finish(() => verifyAndHandle(request, context), context, toResponse, gate.leave)
    },
    async redeliver(topic, document) {
      const bytes = () => toBytes(JSON.stringify(checkDocument(document)))
      const { name } = await handleWithoutRequest(topic, () => toDelivery(topic, bytes(), new Date()))
      return name
    },
    async handleStored({ topic, body, receivedAt }, { signal } = {}) {
      const { errors } = await handleWithoutRequest(topic, () => toDelivery(topic, body, receivedAt), signal)
      for (const error of errors) throw error
    },
    subscriptions: () => handlers.all().map(({ topics, include }) => ({ topics, include })),
    close: gate.close,
  }
  return receiver
}

function toResponse(ended: Outcome | WebhookError): WebhookResponse {
  return isWebhookError(ended) ? respondError(ended) : respond(ended.name)
}

function throwIfError(ended: Outcome | WebhookError): Outcome {
  if (isWebhookError(ended)) throw ended
  return ended
}

/** What is known of a delivery on its way, which is also what error handlers are told. */
interface DeliveryContext extends Mutable<ErrorContext> {
  readonly deadline: Deadline
  readonly background: ReceiveOptions['background']
  readonly signal: AbortSignal | undefined
  /** The topic for which the sender's circuit failureStreak counts the answer: that of a delivery which is genuine. */
  counted: string | undefined
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

function createContext(deadline: Deadline, background?: DeliveryContext['background']): DeliveryContext {
  return {
    deadline,
    background,
    signal: undefined,
    topic: undefined,
    event: undefined,
    consecutiveFailures: 0,
    counted: undefined,
  }
}

/** For handlers that nobody waits for. */
const NO_DEADLINE: Deadline = { remaining: () => Number.POSITIVE_INFINITY }
