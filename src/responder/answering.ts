import type { ExternalResourceKind } from '../commerce-layer/external-resources.ts'
import { isWebhookError, toWebhookError, WebhookError } from '../core/errors.ts'
import type { WebhookEvent } from '../core/event/event.ts'
import type { Handler, Registration } from '../core/handle/handlers.ts'
import type { WebhookResponse } from '../core/http/request.ts'
import { respond } from '../core/http/respond.ts'
import { isPromise, type MaybePromise, pipe } from '../core/maybe-promise.ts'
import type { Outcome } from '../core/outcome.ts'
import type { Answering } from '../receiver/receiver.ts'
import { createAnswerCache } from './answer-cache.ts'
import { CONTRACTS } from './contracts/contracts.ts'
import { type RequestFacts, readRequestFacts } from './contracts/request-facts.ts'
import { isRefusal } from './refusal.ts'
import { respondData, respondFailure, respondRefusal } from './responses.ts'

interface AnsweringOptions {
  readonly handler: Handler
  /** A value, or a function of the request. */
  readonly fallback: unknown
  readonly include: readonly string[]
  readonly cacheMs: number
}

/** How a request has ended that was answered by the handler or the fallback. */
interface Answered extends Outcome {
  readonly response: WebhookResponse
}

/** What belongs to one request. */
interface Exchange {
  readonly facts: RequestFacts
  response: WebhookResponse | undefined
}

/** On the event itself: V8 keeps what a `WeakMap` refers to until its next full collection. */
const EXCHANGE = Symbol('exchange')

type AskedEvent = WebhookEvent & { [EXCHANGE]?: Exchange }

const MISSING_HINT =
  'A relationship of `externalIncludes` is not in the request. Set `external_includes` of its holder.'

/** The part of the road that is a responder's own: handler, check, write; or fallback, check, write. */
export function createAnswering(kind: ExternalResourceKind, options: AnsweringOptions): Answering {
  const { handler, fallback, include, cacheMs } = options
  const { topic, write } = CONTRACTS[kind]
  const cache = cacheMs > 0 ? createAnswerCache(cacheMs) : undefined

  /** Read before the handler runs, which may change the resource. */
  function exchangeOf(event: AskedEvent): Exchange {
    event[EXCHANGE] ??= { facts: readRequestFacts(event.resource), response: undefined }
    return event[EXCHANGE]
  }

  function toResponse(value: unknown, event: WebhookEvent): WebhookResponse {
    return isRefusal(value) ? respondRefusal(value) : respondData(write(value, exchangeOf(event).facts))
  }

  const answer: Handler = (event, context) => {
    const exchange = exchangeOf(event)
    exchange.response = cache?.get(event.delivery.id)
    if (exchange.response) return undefined
    return pipe(handler(event, context) as MaybePromise<unknown>, (value) => {
      const response = toResponse(value, event)
      exchange.response = response
      cache?.set(event.delivery.id, response)
    })
  }

  function toAnswered({ errors }: Outcome, event: WebhookEvent): Answered {
    const { response } = exchangeOf(event)
    // A `PermanentError` acknowledges a delivery, and is no answer.
    if (!response) throw new WebhookError('HANDLER_FAILED', { cause: errors[0] })
    return { name: 'handled', errors: [], response }
  }

  function recover(thrown: unknown, event: WebhookEvent): Answered {
    const reason = explain(toWebhookError(thrown))
    if (fallback === undefined) throw reason
    try {
      const value = typeof fallback === 'function' ? fallback(event) : fallback
      return { name: 'discarded', errors: [reason], response: toResponse(value, event) }
    } catch (cause) {
      throw toFallbackError(reason, cause)
    }
  }

  const registration: Registration = { topics: [topic], include, name: kind, isNamed: true, handler: answer }
  const registrations = [registration]
  return {
    handlers: {
      add() {},
      forTopic: () => registrations,
      isNamed: (name) => name === topic,
      all: () => registrations,
    },
    settle(handle, event) {
      const recovered = (thrown: unknown) => recover(thrown, event)
      try {
        const ended = handle()
        if (!isPromise(ended)) return toAnswered(ended, event)
        return ended.then((outcome) => toAnswered(outcome, event)).catch(recovered)
      } catch (thrown) {
        return recovered(thrown)
      }
    },
    respond(ended) {
      if (isWebhookError(ended)) return respondFailure(ended)
      return 'response' in ended ? (ended as Answered).response : respond(ended.name)
    },
  }
}

/** The error that says most: what was wrong with the answer, rather than that the handler failed. */
function explain(error: WebhookError): WebhookError {
  if (error.code === 'INCLUDE_MISSING') return new WebhookError('INCLUDE_MISSING', { hint: MISSING_HINT })
  return isWebhookError(error.cause) ? error.cause : error
}

function toFallbackError({ code, hint, message }: WebhookError, cause: unknown): WebhookError {
  const problem = isWebhookError(cause) && cause.hint ? cause.hint : 'It threw an error.'
  return new WebhookError(code, { hint: `${hint ?? message} The fallback cannot be used: ${problem}`, cause })
}
