import { admit, readBody } from './core/admit.ts'
import { authenticate, claimOf, deliveryOf } from './core/authenticate.ts'
import { createDeadline, type Deadline } from './core/deadline.ts'
import { dispatch, type Outcome, QUEUED } from './core/dispatch.ts'
import { checkedDocument } from './core/document.ts'
import { isWebhookError, toWebhookError, type WebhookError } from './core/errors.ts'
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
import { defaultLogger, type Logger, unfailing } from './core/logger.ts'
import type { OutcomeName } from './core/outcomes.ts'
import { type Eventually, isPromise, pipe } from './core/pipe.ts'
import { type ErrorContext, type ErrorHandler, report } from './core/report.ts'
import { bytesOf, type ReceiveOptions, type WebhookRequest, type WebhookResponse } from './core/request.ts'
import { respond, respondError } from './core/respond.ts'
import { createSecrets, type SecretsOption } from './core/secrets.ts'

export interface ReceiverOptions {
  /** The webhooks' shared secrets: a map by topic, a look-up by topic, or one for everything (a string, or a list to rotate). */
  readonly secrets: SecretsOption
  /** Milliseconds from the arrival of a request to its answer at the latest; default 4,000. The sender waits 5,000. */
  readonly deadlineMs?: number
  /** The largest body that is read, in bytes; default 5 MiB. An order of 50 line items has 280 KB. */
  readonly maxBodyBytes?: number
  /** Milliseconds within which a body must have arrived; default 4,000. */
  readonly bodyTimeoutMs?: number
  /** How many deliveries may be under way at once; default 1,000. Beyond that they are answered 503 before their body is read. */
  readonly maxInFlight?: number
  /** Default: warnings and errors to the console. */
  readonly logger?: Logger
}

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
  const { deadlineMs, maxInFlight, ...limits } = limitsOf(options)
  const logger = unfailing(options.logger ?? defaultLogger)
  const secrets = createSecrets(options.secrets)
  const handlers = createHandlers(secrets, logger)
  const errorHandlers: ErrorHandler[] = []
  const gate = createGate(maxInFlight)
  if (deadlineMs > 5000) logger.warn('`deadlineMs` is over 5,000: the sender does not wait that long.')

  /** The road: each stage takes what the one before it made. */
  function walk(
    request: WebhookRequest,
    { background }: ReceiveOptions,
    deadline: Deadline,
    context: Context,
  ): Eventually<Outcome> {
    const receivedAt = new Date()
    admit(request, limits)
    const claim = claimOf(request.headers)
    context.topic = claim.topic
    return pipe(
      readBody(request, limits, deadline),
      (body) => authenticate(claim, body, receivedAt, secrets, deadline),
      // An inbox forks off here: the delivery is stored and answered, and a worker walks the rest.
      (delivery) => eventOf(delivery),
      // Idempotency stands here: the event is reserved by its id, and completed or released after the dispatch.
      (event) => {
        context.event = event
        if (!background) return run(event, deadline)
        later(background, () => conclude(() => run(event, UNHURRIED), UNHURRIED, context))
        return QUEUED
      },
    )
  }

  /** The last part of the road, for which it does not matter where the event came from. */
  function run(event: WebhookEvent, deadline: Deadline): Eventually<Outcome> {
    return dispatch(event, handlers.of(event.topic), deadline, logger, gate.waitFor)
  }

  /** The road of an event that was lost: it starts where one that was received has proved to be genuine. */
  function walkAgain(topic: string, document: unknown, context: Context): Eventually<Outcome> {
    return pipe(
      deliveryOf(topic, bytesOf(JSON.stringify(checkedDocument(document))), new Date()),
      (delivery) => eventOf(delivery),
      (event) => {
        context.event = event
        return run(event, UNHURRIED)
      },
    )
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
  async function conclude(
    walked: () => Eventually<Outcome>,
    deadline: Deadline,
    context: Context,
    leave = () => {},
  ): Promise<OutcomeName | WebhookError> {
    try {
      const ended = walked()
      const { name, errors } = isPromise(ended) ? await ended : ended
      for (const error of errors) await report(error, context, errorHandlers, deadline, logger)
      logger.debug(`${context.topic} ${name}`, { topic: context.topic, outcome: name })
      return name
    } catch (thrown) {
      const error = toWebhookError(thrown)
      await report(error, context, errorHandlers, deadline, logger)
      return error
    } finally {
      leave()
    }
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
    receive(request, options = {}) {
      const deadline = createDeadline(deadlineMs)
      const context: Context = { topic: undefined, event: undefined }
      const refusal = gate.enter()
      const ended = refusal
        ? conclude(() => Promise.reject(refusal), deadline, context)
        : conclude(() => walk(request, options, deadline, context), deadline, context, gate.leave)
      return ended.then(answerOf)
    },
    async redeliver(topic, document) {
      const refusal = gate.enter()
      if (refusal) throw refusal
      const context: Context = { topic, event: undefined }
      const ended = await conclude(() => walkAgain(topic, document, context), UNHURRIED, context, gate.leave)
      if (isWebhookError(ended)) throw ended
      return ended
    },
    subscriptions: () => handlers.all().map(({ topics, include }) => ({ topics, include })),
    close: gate.close,
  }
  return receiver
}

function answerOf(ended: OutcomeName | WebhookError): WebhookResponse {
  return isWebhookError(ended) ? respondError(ended) : respond(ended)
}

type Context = { -readonly [K in keyof ErrorContext]: ErrorContext[K] }

const LIMITS = { deadlineMs: 4000, maxBodyBytes: 5 * 1024 * 1024, bodyTimeoutMs: 4000, maxInFlight: 1000 }

/** A timer counts to no more than this, and a bad limit must not switch a protection off. */
const MAX_LIMIT = 2 ** 31 - 1

/** For handlers that nobody waits for. */
const UNHURRIED: Deadline = { remaining: () => MAX_LIMIT }

function limitsOf({ secrets, logger, ...given }: ReceiverOptions): typeof LIMITS {
  const limits: Record<string, number> = { ...LIMITS }
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(LIMITS, name)) throw new TypeError(`createReceiver has no option \`${name}\`.`)
    if (!Number.isInteger(value) || value < 1 || value > MAX_LIMIT) {
      throw new TypeError(`createReceiver: \`${name}\` must be a whole number from 1 to ${MAX_LIMIT}.`)
    }
    limits[name] = value
  }
  return limits as typeof LIMITS
}
