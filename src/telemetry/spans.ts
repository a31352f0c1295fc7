import {
  type Attributes,
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import type { AttemptInfo, ObservedEvent } from '../drivers.ts'
import { ATTRIBUTES, describeOperation, type Operation, OTHER_TOPIC, SCOPE } from './names.ts'
import { toLinks, writeTraceparent } from './trace-context.ts'

/** The span of an attempt, while it lasts. */
interface AttemptSpan {
  readonly span: Span
  /** In which the span is active. */
  readonly context: Context
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** The names of the handlers that were started. */
  readonly handlers: string[]
  /** The span of storing, while it lasts. */
  sending: Span | undefined
}

type StartOptions = Pick<ObservedEvent<'received'>, 'source'> & {
  readonly startedAt: number
  readonly attributes?: Attributes
  readonly traceparent?: string | undefined
}

/** Makes the spans of deliveries from what an observer is told. */
export interface Spans {
  start(event: ObservedEvent<'received'>): void
  /** Runs a handler while the span of its delivery is active. */
  runHandler(info: ObservedEvent<'handler-started'>, run: () => unknown): unknown
  /** Starts the span of storing, and gives its trace context. */
  send(info: AttemptInfo): string | undefined
  endSending(event: ObservedEvent<'stored'>): void
  end(event: ObservedEvent<'finished'>): void
}

export function createSpans(provider: TracerProvider, capturesResourceIds: boolean): Spans {
  const tracer = provider.getTracer(SCOPE)
  const attempts = new WeakMap<object, AttemptSpan>()

  function startAttempt(info: AttemptInfo, options: StartOptions): AttemptSpan {
    const { source, startedAt, attributes, traceparent } = options
    // A worker may have been woken up by a request that has nothing to do with its delivery.
    const parent = source === 'inbox' ? ROOT_CONTEXT : context.active()
    const span = tracer.startSpan(
      nameSpan('process', info.topic),
      {
        kind: SpanKind.CONSUMER,
        startTime: startedAt,
        attributes: { ...describeSpan('process', info.topic), ...attributes },
        links: toLinks(traceparent),
      },
      parent,
    )
    const attempt = { span, context: trace.setSpan(parent, span), startedAt, handlers: [], sending: undefined }
    attempts.set(info.scope, attempt)
    return attempt
  }

  /** A delivery that ended before anybody was told that it began: one that was damaged, or came while all was full. */
  function startLate(event: ObservedEvent<'finished'>): AttemptSpan {
    const source = event.attempt === undefined ? 'request' : 'inbox'
    return startAttempt(event, { source, startedAt: Date.now() - event.durationMs })
  }

  function endSending(attempt: AttemptSpan, code?: string): void {
    if (code !== undefined) attempt.sending?.setAttribute(ATTRIBUTES.errorType, code)
    if (code !== undefined) attempt.sending?.setStatus({ code: SpanStatusCode.ERROR })
    attempt.sending?.end()
    attempt.sending = undefined
  }

  return {
    start(event) {
      const { source, receivedAt, bodyBytes, traceparent, senderTraceparent } = event
      startAttempt(event, {
        source,
        startedAt: source === 'inbox' ? Date.now() : receivedAt.getTime(),
        attributes: { [ATTRIBUTES.bodySize]: bodyBytes },
        traceparent: traceparent ?? senderTraceparent,
      })
    },
    runHandler({ scope, handler }, run) {
      const attempt = attempts.get(scope)
      if (!attempt) return run()
      attempt.handlers.push(handler)
      return context.with(attempt.context, () => runRecorded(run, handler, attempt.span))
    },
    send({ scope, topic }) {
      const attempt = attempts.get(scope)
      if (!attempt) return undefined
      const options = { kind: SpanKind.PRODUCER, attributes: describeSpan('send', topic) }
      attempt.sending = tracer.startSpan(nameSpan('send', topic), options, attempt.context)
      return writeTraceparent(attempt.sending.spanContext())
    },
    endSending({ scope }) {
      const attempt = attempts.get(scope)
      if (attempt) endSending(attempt)
    },
    end(event) {
      const attempt = attempts.get(event.scope) ?? startLate(event)
      const { span, startedAt, handlers } = attempt
      endSending(attempt, event.code)
      if (span.isRecording()) {
        span.setAttributes(describeEnd(event, handlers))
        if (capturesResourceIds) span.setAttributes(describeResource(event))
        if (event.code !== undefined) span.setStatus({ code: SpanStatusCode.ERROR })
      }
      span.end(startedAt + event.durationMs)
    },
  }
}

function nameSpan(operation: Operation, topic: string | undefined): string {
  return `${operation} ${topic ?? OTHER_TOPIC}`
}

function describeSpan(operation: Operation, topic: string | undefined): Attributes {
  return { ...describeOperation(operation, topic), [ATTRIBUTES.operationType]: operation }
}

/** Attributes without a value are left out by the SDK. */
function describeEnd(event: ObservedEvent<'finished'>, handlers: readonly string[]): Attributes {
  const { deliveryId, outcome, code, attempt, organizationId, mode } = event
  return {
    [ATTRIBUTES.messageId]: deliveryId,
    [ATTRIBUTES.outcome]: outcome,
    [ATTRIBUTES.errorType]: code,
    [ATTRIBUTES.handler]: handlers.length > 0 ? handlers.join(', ') : undefined,
    [ATTRIBUTES.attempt]: attempt,
    [ATTRIBUTES.organizationId]: organizationId,
    [ATTRIBUTES.mode]: mode,
  }
}

function describeResource({ resource, eventId }: ObservedEvent<'finished'>): Attributes {
  return {
    [ATTRIBUTES.resourceType]: resource?.type,
    [ATTRIBUTES.resourceId]: resource?.id,
    [ATTRIBUTES.eventId]: eventId,
  }
}

/** Runs a handler, and records on a span what class of error it ends with. */
function runRecorded(run: () => unknown, handler: string, span: Span): unknown {
  const record = (thrown: unknown) => {
    if (!span.isRecording()) return // A handler that is late fails after the end of its delivery.
    span.addEvent('exception', { [ATTRIBUTES.exceptionType]: classOf(thrown), [ATTRIBUTES.handler]: handler })
  }
  let result: unknown
  try {
    result = run()
  } catch (thrown) {
    record(thrown)
    throw thrown
  }
  if (result instanceof Promise) result.then(undefined, record)
  return result
}

/** The name of an error. Its message and its stack may hold personal data. */
function classOf(thrown: unknown): string {
  const name = thrown instanceof Error ? thrown.name : typeof thrown
  return /^[\w$.]{1,80}$/.test(name) ? name : 'Error'
}
