import { ANSWER_TIMEOUT_MS } from '../commerce-layer/limits.ts'
import type { ResourceOf } from '../commerce-layer/resources.ts'
import { isCatalogued } from '../commerce-layer/topics.ts'
import { checkOptions, oneOf } from '../core/check-options.ts'
import { createDeadline, type Deadline, NO_DEADLINE, pause } from '../core/deadline.ts'
import { isWebhookError, type PermanentError, toWebhookError, WebhookError } from '../core/errors.ts'
import { checkDocument, type Document } from '../core/event/document.ts'
import { parseEvent, readSource, type WebhookEvent } from '../core/event/event.ts'
import { isOlderThan, parseEarly } from '../core/event/parse-early.ts'
import { dispatch, finishInTime, type Run } from '../core/handle/dispatch.ts'
import { createEventLog } from '../core/handle/event-log.ts'
import { createFailureStreak } from '../core/handle/failure-streak.ts'
import { createGate } from '../core/handle/gate.ts'
import {
  createHandlers,
  type Handler,
  type HandlerOptions,
  type Handlers,
  type Subscription,
  type TopicPattern,
  type TopicsOf,
} from '../core/handle/handlers.ts'
import {
  createReports,
  type ErrorContext,
  type ErrorHandler,
  type ErrorHandlerOptions,
  isAboutSecret,
} from '../core/handle/report.ts'
import { admit, readBody } from '../core/http/admit.ts'
import { createBudget } from '../core/http/budget.ts'
import {
  getHeader,
  type ReceiveOptions,
  toBytes,
  type WebhookRequest,
  type WebhookResponse,
} from '../core/http/request.ts'
import { respond, respondError } from '../core/http/respond.ts'
import { createIdempotency } from '../core/idempotency/idempotency.ts'
import { createSharedFailures } from '../core/idempotency/shared-failures.ts'
import {
  type DeliveryAttempt,
  type FailedDelivery,
  type Inbox,
  isStoredTopic,
  type StoredDelivery,
} from '../core/inbox/inbox.ts'
import { restoreDelivery } from '../core/inbox/restore-delivery.ts'
import { storeDelivery } from '../core/inbox/store-delivery.ts'
import { createStoredSignatures } from '../core/inbox/stored-signatures.ts'
import { defaultLogger, safeLogger } from '../core/logger.ts'
import { isPromise, type MaybePromise, pipe } from '../core/maybe-promise.ts'
import { createObservation, millisecondsSince, readTraceparent, type Subject } from '../core/observe.ts'
import { IGNORED, mayBeReplay, type Outcome, PROBED, QUEUED, TOO_OLD } from '../core/outcome.ts'
import type { OutcomeName } from '../core/outcomes.ts'
import { platform } from '../core/platform.ts'
import {
  authenticate,
  explainMismatch,
  findSecrets,
  readSignedHeaders,
  type SignedHeaders,
} from '../core/verify/authenticate.ts'
import type { SigningSecret } from '../core/verify/check-secret.ts'
import { type Delivery, readSigned, toDelivery } from '../core/verify/delivery.ts'
import { createDiagnosis } from '../core/verify/diagnose.ts'
import { limitRefreshes } from '../core/verify/limit-refreshes.ts'
import { isProbe } from '../core/verify/probe.ts'
import { createSecrets } from '../core/verify/secrets.ts'
import { checkReceiverOptions, type ReceiverOptions } from './options.ts'
import type { RecordedAttempt, StageName } from './recording.ts'

/** Bodies that wait for a refresh of the secrets may have this share of `maxUnverifiedBytes`. */
const REFRESH_SHARE = 4

/** Receives deliveries: verifies, parses, dispatches and answers. Made by {@link createReceiver}. */
export interface Receiver {
  /**
   * Registers a handler for a topic, several topics, all topics of a resource (`orders.*`) or every topic (`*`). The
   * handlers of an event run side by side. The delivery is acknowledged when all of them have succeeded. A topic that
   * is not in the catalogue is registered with a warning.
   *
   * @throws TypeError if a topic or an option is malformed, or the handler is not a function.
   * @example
   * receiver.on('orders.place', { include: ['customer'] }, ({ resource: order }) => console.log(order.customer.email))
   */
  on<const P extends TopicPattern>(topics: P | readonly P[], handler: Handler<TopicsOf<P>>): Receiver
  on<const P extends TopicPattern, const Path extends string = never>(
    topics: P | readonly P[],
    options: HandlerOptions<Path, ResourceOf<TopicsOf<P>>>,
    handler: Handler<TopicsOf<P>, Path>,
  ): Receiver
  /**
   * Registers a function that is called for errors, for example to send them to an error tracker. It is awaited up to
   * the deadline. It is called for each genuine delivery that failed or was discarded. Requests whose secret may be
   * wrong are reported together, once a minute for each topic with a handler; other refused requests only if `options`
   * say so.
   *
   * @example
   * receiver.onError((error, { topic }) => console.error(topic, error.message, error.cause))
   */
  onError(handler: ErrorHandler, options?: ErrorHandlerOptions): Receiver
  /** Handles a request and gives its answer. Never rejects. */
  receive(request: WebhookRequest, options?: ReceiveOptions): Promise<WebhookResponse>
  /**
   * Runs the handlers for a document from Commerce Layer's API: the `payload` of an event callback, or a fetched
   * resource. Nothing is verified, so pass no document from another source. The event has the same `id` as in the
   * original delivery. There is no deadline.
   *
   * @param document the JSON:API document.
   * @throws WebhookError the error that the delivery would have been answered with, after the log and `onError` have
   * received it.
   */
  redeliver(topic: string, document: unknown): Promise<OutcomeName>
  /**
   * Handles a delivery that an inbox or a queue has stored: parses it and runs its handlers, without a deadline.
   * Workers call it, and consumers of queues that push their messages (SQS, a cron route). No signature is verified
   * without the option `verifyStored`, so pass only what a receiver has stored.
   *
   * @throws WebhookError if the delivery failed; `retryable` says whether to try again. `NO_HANDLER` if there is no
   * handler for the topic here: keep the delivery for a process that has one. `TOPIC_INVALID` and
   * `BODY_DAMAGED` if it is not of the form that was stored, `SIGNATURE_MISMATCH` if no receiver has stored it. The
   * `PermanentError` of a handler is thrown as it is.
   */
  handleStored(delivery: Omit<StoredDelivery, 'id' | 'group'>, attempt?: Partial<DeliveryAttempt>): Promise<void>
  /**
   * Tells the log and the observers of an attempt that has failed, and what comes next. Workers call it. A consumer of
   * your own may do so too.
   */
  notify(failure: FailedDelivery): void
  /** The topics and includes of the registered handlers, in the order of registration. */
  subscriptions(): readonly Subscription[]
  /** Answers new deliveries 503, and resolves when all deliveries in progress have ended, late handlers included. */
  close(): Promise<void>
}

/**
 * Makes a receiver, which verifies, parses and dispatches deliveries.
 *
 * @throws TypeError if an option is unknown or out of range, or a secret is missing, too weak, or has a label that is
 * not complete.
 * @example
 * const receiver = createReceiver({ secrets: secretsFromEnv() })
 * receiver.on('orders.place', ({ resource: order }) => console.log(order.number))
 */
export function createReceiver(options: ReceiverOptions): Receiver {
  return composeReceiver(options)
}

/** Puts the stages together: those of a receiver, or with `answering` those of a responder. */
export function composeReceiver(options: ReceiverOptions, answering?: Answering): Receiver {
  const settings = checkReceiverOptions(options)
  const { deadlineMs, maxInFlight, maxAgeMs, ordering, inboxMode, secretsCacheMs, ...limits } = settings
  const { inbox, recorder } = options
  const logger = safeLogger(options.logger ?? defaultLogger)
  const isKnown = (topic: string) => handlers.isNamed(topic) || isCatalogued(topic)
  const isHandled = (topic: string) => isKnown(topic) && handlers.forTopic(topic).length > 0
  const cacheMs = secretsCacheMs === 'none' ? 0 : secretsCacheMs
  const secrets = limitRefreshes(
    createSecrets(options.secrets, { cacheMs, isKnown, logger }),
    limits.maxUnverifiedBytes / REFRESH_SHARE,
  )
  const handlers = answering?.handlers ?? createHandlers(secrets, logger)
  const reports = createReports(logger, isHandled)
  const diagnose = createDiagnosis()
  const gate = createGate(maxInFlight)
  const budget = createBudget(limits)
  const observation = createObservation(options.observers ?? [], createEventLog(logger), logger, isKnown, recorder)
  const isObserved = observation.isObserved('received')
  const failureStreak = createFailureStreak(
    isKnown,
    (topic, level, consecutiveFailures) => observation.emit('breaker', { topic }, { level, consecutiveFailures }),
    createSharedFailures(options.idempotency?.store, isKnown, gate.waitFor),
  )
  const signatures =
    options.verifyStored === undefined ? undefined : createStoredSignatures(options.verifyStored, logger)
  const idempotency = options.idempotency && createIdempotency(options.idempotency, logger, observation, gate.waitFor)
  if (deadlineMs > ANSWER_TIMEOUT_MS) logger.warn('`deadlineMs` is over 5,000: Commerce Layer waits no longer.')

  /** The stages of a request, up to its outcome. */
  function verifyAndHandle(request: WebhookRequest, context: DeliveryContext): MaybePromise<Outcome> {
    const receivedAt = new Date()
    const { deadline } = context
    gate.begin()
    context.isCounted = true
    mark('admit', context)
    admit(request, limits)
    const headers = readSignedHeaders(request.headers)
    context.topic = headers.topic
    if (gate.isFull()) throw new WebhookError('OVERLOADED')
    mark('secrets', context)
    return pipe(
      findSecrets(headers.topic, secrets, deadline),
      (found) => {
        mark('read', context)
        return pipe(readBody(request, limits, budget, deadline), (body) => {
          mark('verify', context)
          context.body = body
          context.unverified = { headers, found }
          return authenticate(headers, body, receivedAt, found, secrets, deadline)
        })
      },
      (delivery) => handleVerified(delivery, context),
    )
  }

  /** Takes a place for a delivery, and stores or handles it. */
  function handleVerified(delivery: Delivery, context: DeliveryContext): MaybePromise<Outcome> {
    context.unverified = undefined
    const isProbing = isProbe(readSigned(delivery).bytes)
    const document = isProbing ? undefined : parseEarly(delivery, maxAgeMs)
    context.verifiedTopic = delivery.topic
    context.isTrusted = true
    gate.enter()
    context.hasPlace = true
    begin(delivery, context)
    if (isProbing) return PROBED
    if (document && isOlderThan(maxAgeMs, delivery, document)) return TOO_OLD
    const isStored = inbox && (inboxMode === 'always' || failureStreak.isNearlyOpen(delivery.topic))
    return isStored ? putInto(inbox, delivery, context) : handleDelivery(delivery, context, document)
  }

  async function putInto(stores: Pick<Inbox, 'put'>, delivery: Delivery, context: DeliveryContext): Promise<Outcome> {
    mark('store', context)
    const traceparent = observation.toTraceparent(context)
    const outcome = await storeDelivery(delivery, stores, { ordering, signatures, traceparent }, context.deadline)
    if (outcome === QUEUED) observation.emit('stored', context, { durationMs: millisecondsSince(context.startedAt) })
    return outcome
  }

  /** From here on the observers know of a delivery. */
  function begin(delivery: Delivery, context: DeliveryContext): Delivery {
    const { bytes } = readSigned(delivery)
    context.delivery = delivery
    context.body = bytes
    if (isObserved) {
      const { source, traceparent, request } = context
      const bodyBytes = bytes.byteLength
      const senderTraceparent = request && readTraceparent(getHeader(request.headers, 'traceparent'))
      const { receivedAt } = delivery
      observation.emit('received', context, { source, receivedAt, bodyBytes, traceparent, senderTraceparent })
    }
    return delivery
  }

  /** The stages after verification, which are the same for stored and redelivered deliveries. */
  function handleDelivery(
    delivery: MaybePromise<Delivery>,
    context: DeliveryContext,
    document?: Document,
  ): MaybePromise<Outcome> {
    mark('parse', context)
    return pipe(
      delivery,
      (verified) => parseEvent(verified, document),
      (event) => answering?.settle(() => handleEvent(event, context), event) ?? handleEvent(event, context),
    )
  }

  function handleEvent(event: WebhookEvent, context: DeliveryContext): MaybePromise<Outcome> {
    context.event = event
    context.parsed = readSource(event)
    const registrations = handlers.forTopic(event.topic)
    if (registrations.length === 0) return IGNORED
    if (context.deadline.remaining() === 0) throw new WebhookError('DEADLINE_EXCEEDED')
    if (context.signal?.aborted) throw new WebhookError('SHUTTING_DOWN')
    if (!idempotency)
      return startHandlers(event, () => dispatch(event, registrations, logger, observation, context), context)
    mark('reserve', context)
    return pipe(idempotency.reserve(event, registrations, context.deadline), (reserved) =>
      'name' in reserved ? reserved : startHandlers(event, () => reserved.run(context), context),
    )
  }

  /** Runs the handlers now, or in the background. */
  function startHandlers(event: WebhookEvent, start: () => Run, context: DeliveryContext): MaybePromise<Outcome> {
    const { background, deadline, signal } = context
    if (background) {
      const afterAnswer = {
        ...context,
        background: undefined,
        deadline: NO_DEADLINE,
        verifiedTopic: undefined, // The answer was a success, whatever the handlers do.
        isCounted: false,
        hasPlace: false,
        ranInBackground: true,
      }
      context.isDeferred = true
      runInBackground(background, () => finish(() => startHandlers(event, start, afterAnswer), afterAnswer, toResponse))
      return QUEUED
    }
    mark('handle', context)
    const run = start()
    const stop = () => run.abort(isWebhookError(signal?.reason) ? signal.reason : new WebhookError('SHUTTING_DOWN'))
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop)
    return finishInTime(run, event, deadline, logger, gate.waitFor)
  }

  /** Runs work after the answer, or not at all if the platform refuses it by throwing. */
  function runInBackground(background: NonNullable<ReceiveOptions['background']>, run: () => Promise<unknown>): void {
    let isAccepted = false
    const work = pause(0).then(() => (isAccepted ? run() : undefined))
    background(work)
    isAccepted = true
    gate.count(work)
  }

  /**
   * Ends every delivery: counts and reports its outcome. The only `catch` of the receiver: each thrown value becomes a
   * WebhookError.
   */
  async function finish<T>(
    start: () => MaybePromise<Outcome>,
    context: DeliveryContext,
    answer: (ended: Outcome | WebhookError) => T,
  ): Promise<T> {
    const { deadline } = context
    try {
      const pending = start()
      const outcome = isPromise(pending) ? await pending : pending
      leave(context)
      if (context.verifiedTopic) context.consecutiveFailures = countSuccess(context.verifiedTopic, outcome)
      if (!context.isDeferred) tellFinished(outcome.name, context, outcome.errors)
      for (const error of outcome.errors) await reports.report(error, context, deadline)
      return answer(outcome)
    } catch (thrown) {
      const error = toWebhookError(thrown)
      leave(context)
      if (context.verifiedTopic) context.consecutiveFailures = failureStreak.count(context.verifiedTopic, true)
      if (context.isTrusted) {
        tellFinished('failed', context, [error])
        await reports.report(error, context, deadline)
      } else await reportRefusal(error, context)
      return answer(error)
    } finally {
      if (context.isCounted) gate.end()
    }
  }

  /** Gives the failures in a row. What may be a replay says nothing about the handlers, and ends no outage. */
  function countSuccess(topic: string, outcome: Outcome): number {
    return mayBeReplay(outcome) ? failureStreak.get(topic) : failureStreak.count(topic, false)
  }

  function tellFinished(
    outcome: OutcomeName | 'failed',
    context: DeliveryContext,
    errors: readonly (WebhookError | PermanentError)[],
  ): void {
    if (observation.takesEnd(outcome)) {
      const { consecutiveFailures, startedAt } = context
      const code = errors.find(isWebhookError)?.code
      const durationMs = millisecondsSince(startedAt)
      observation.emit('finished', context, { outcome, code, durationMs, consecutiveFailures }, errors)
    }
    record(outcome, errors[0], context)
  }

  /** Tells the recorder of an attempt that has ended. */
  function record(
    outcome: RecordedAttempt['outcome'],
    error: RecordedAttempt['error'],
    context: DeliveryContext,
    durationMs = millisecondsSince(context.startedAt),
  ): void {
    if (recorder) observation.call(() => recorder.record(Object.assign(context, { outcome, error, durationMs })))
  }

  /** Reports a request that was refused. A mismatch is examined after the answer, where the platform allows it. */
  function reportRefusal(error: WebhookError, context: DeliveryContext): MaybePromise<void> {
    const { unverified, body, deadline, topic, startedAt } = context
    const { code, status } = error
    const durationMs = millisecondsSince(startedAt)
    // Somebody asks whether a secret is there yet. That it is not says nothing about deliveries.
    const isProbing = body !== undefined && isProbe(body)
    if (topic && isAboutSecret(error) && isHandled(topic) && !isProbing) failureStreak.countMismatch(topic)
    if (!isProbing) observation.emit('refused', context, { code, status, durationMs })
    const send = isProbing ? undefined : reports.refuse(error, context, deadline)
    const end = (explained: WebhookError) => {
      record('refused', explained, context, durationMs)
      return send?.(explained)
    }
    if (!unverified || !body || isProbing || !(send || recorder)) return end(error)
    const { headers, found } = unverified
    const explainAndSend = async () => {
      const explained = await explainMismatch(error, headers, body, found, secrets, diagnose)
      context.signedBody = explained.bytes
      return end(explained.error)
    }
    if (platform.endsWithAnswer) return explainAndSend()
    gate.waitFor(pause(0).then(explainAndSend))
  }

  /** Gives the place back before errors are reported: a report may take its time. */
  function leave(context: DeliveryContext): void {
    if (context.hasPlace) gate.leave()
    context.hasPlace = false
  }

  /** Handles a delivery that did not come over HTTP and needs no answer. */
  async function handleWithoutRequest(
    source: Pick<DeliveryContext, 'topic' | 'source' | 'traceparent'>,
    delivery: () => MaybePromise<Delivery>,
    { signal, number: attempt, maxAttempts: attempts }: Partial<DeliveryAttempt> = {},
  ): Promise<Outcome> {
    gate.begin()
    const context = {
      ...createContext(performance.now(), NO_DEADLINE, recorder),
      ...source,
      signal,
      attempt,
      attempts,
      isCounted: true,
      isTrusted: true,
    }
    const start = () =>
      handleDelivery(
        pipe(delivery(), (known) => begin(known, context)),
        context,
      )
    return finish(start, context, throwIfError)
  }

  function requireHandler(delivery: Delivery): Delivery {
    if (handlers.forTopic(delivery.topic).length === 0) throw new WebhookError('NO_HANDLER')
    return delivery
  }

  const receiver: Receiver = {
    on(topics: string | readonly string[], ...rest: readonly unknown[]) {
      const [options = {}, handler] = rest.length > 1 ? rest : [{}, ...rest]
      handlers.add(topics, options as HandlerOptions, handler as Handler)
      return receiver
    },
    onError(handler, options = {}) {
      if (typeof handler !== 'function') throw new TypeError('The handler given to `onError` is not a function.')
      reports.onError(handler, checkOptions('onError', options, { unverified: oneOf(false, true) }))
      return receiver
    },
    receive(request, { background } = {}) {
      const startedAt = performance.now()
      const context = createContext(startedAt, createDeadline(deadlineMs, startedAt), recorder, background)
      context.request = request
      return finish(() => verifyAndHandle(request, context), context, answering?.respond ?? toResponse)
    },
    async redeliver(topic, document) {
      const bytes = () => toBytes(JSON.stringify(checkDocument(document)))
      const { name } = await handleWithoutRequest({ topic, source: 'redelivery' }, () =>
        toDelivery(topic, bytes(), new Date(), secrets),
      )
      return name
    },
    async handleStored(stored, attempt) {
      const topic = isStoredTopic(stored.topic) ? stored.topic : undefined
      const restore = () => pipe(restoreDelivery(stored, signatures, secrets), requireHandler)
      const traceparent = readTraceparent(stored.traceparent)
      const { errors } = await handleWithoutRequest({ topic, source: 'inbox', traceparent }, restore, attempt)
      for (const error of errors) throw error
    },
    notify({ type, topic, id, resource, error, attempt, maxAttempts, delayMs = 0, count = 1 }) {
      const { code, handler } = error
      const subject: Subject = {
        topic: isStoredTopic(topic) ? topic : undefined,
        delivery: id === undefined ? undefined : { id },
        parsed: { reference: resource },
        attempt,
        attempts: maxAttempts,
      }
      if (type === 'dead') observation.emit(type, subject, { code, handler, count })
      else observation.emit(type, subject, { code, handler, delayMs })
    },
    subscriptions: () => handlers.all().map(({ name, isNamed, handler, ...subscription }) => subscription),
    close: gate.close,
  }
  return receiver
}

/** What is different in a responder: it has one handler, whose value is the answer. */
export interface Answering {
  readonly handlers: Handlers
  /** Gives the outcome of the handler, or that of the fallback. */
  readonly settle: (handle: () => MaybePromise<Outcome>, event: WebhookEvent) => MaybePromise<Outcome>
  readonly respond: (ended: Outcome | WebhookError) => WebhookResponse
}

function toResponse(ended: Outcome | WebhookError): WebhookResponse {
  return isWebhookError(ended) ? respondError(ended) : respond(ended.name)
}

function throwIfError(ended: Outcome | WebhookError): Outcome {
  if (isWebhookError(ended)) throw ended
  return ended
}

/** With a recorder: a stage begins. */
function mark(stage: StageName, { stages }: DeliveryContext): void {
  stages?.push(stage, performance.now())
}

/** The state of a delivery in progress. Error handlers get it as their context, and a recorder once it has ended. */
interface DeliveryContext
  extends Mutable<Omit<ErrorContext, 'count'> & Omit<Subject, keyof ErrorContext>>,
    Mutable<Pick<RecordedAttempt, 'request' | 'body' | 'ranInBackground' | 'signedBody'>> {
  readonly deadline: Deadline
  readonly background: ReceiveOptions['background']
  readonly signal?: AbortSignal | undefined
  /** Of `performance.now()`. */
  readonly startedAt: number
  readonly source: RecordedAttempt['source']
  readonly traceparent?: string | undefined
  readonly stages: (StageName | number)[] | undefined
  /** Whether the handlers run in the background. That ends the delivery by itself. */
  isDeferred: boolean
  /** Whether the delivery was verified, or comes from a source that needs no signature. */
  isTrusted: boolean
  /**
   * What the likely reason of a mismatch is found from, while the signature is verified. A function instead makes V8
   * keep deliveries until its next full collection: that doubled the time of a small one.
   */
  unverified?: Unverified | undefined
  /** The topic of a verified delivery, for which Commerce Layer's circuit breaker counts the answer. */
  verifiedTopic?: string | undefined
  /** Whether the delivery counts toward `maxInFlight`. */
  hasPlace: boolean
  /** Whether `close` waits for the delivery. */
  isCounted: boolean
}

interface Unverified {
  readonly headers: SignedHeaders
  readonly found: readonly SigningSecret[]
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

function createContext(
  startedAt: number,
  deadline: Deadline,
  recorder: unknown,
  background?: DeliveryContext['background'],
): DeliveryContext {
  return {
    deadline,
    background,
    source: 'request',
    startedAt,
    stages: recorder ? [] : undefined,
    handlers: recorder ? [] : undefined,
    request: undefined,
    body: undefined,
    delivery: undefined,
    parsed: undefined,
    isDeferred: false,
    topic: undefined,
    event: undefined,
    consecutiveFailures: 0,
    isTrusted: false,
    isCounted: false,
    hasPlace: false,
  }
}
