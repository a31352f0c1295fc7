import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import type { AttemptInfo, ObservedEvent } from '../drivers.ts'
import { createCache } from './cache.ts'
import { ATTRIBUTES, OTHER_TOPIC, SCOPE, SYSTEM } from './names.ts'
import { toLinks, writeTraceparent } from './trace-context.ts'

/** The span of an attempt, while it lasts. */
interface AttemptSpan {
  readonly span: Span
  /** In which the span is active. */
  readonly context: Context
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** The names of the handlers that were started. */
  handlers: string
  /** The span of storing, while it lasts. */
  sending: Span | undefined
}

interface StartOptions {
  readonly isFromInbox: boolean
  readonly startedAt: number
  readonly bodyBytes?: number
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
  const processing = createCache((topic: string) => describeSpan('process', SpanKind.CONSUMER, topic))
  const sending = createCache((topic: string) => describeSpan('send', SpanKind.PRODUCER, topic))
  /** Whether the last span that was started is one of an SDK. */
  let isTracing = true

  /** Gives nothing where nothing traces: that costs a delivery nearly nothing then. */
  function startAttempt(info: AttemptInfo, options: StartOptions): AttemptSpan | undefined {
    const { isFromInbox, startedAt, bodyBytes, traceparent } = options
    // A worker may have been woken up by a request that has nothing to do with its delivery.
    const parent = isFromInbox ? ROOT_CONTEXT : context.active()
    const { name, kind, attributes } = processing.get(info.topic ?? OTHER_TOPIC)
    const links = toLinks(traceparent)
    const span = tracer.startSpan(name, { kind, startTime: startedAt, attributes, links }, parent)
    isTracing = isSpanContextValid(span.spanContext())
    if (!isTracing) return undefined
    if (bodyBytes !== undefined) span.setAttribute(ATTRIBUTES.bodySize, bodyBytes)
    const attempt = { span, context: trace.setSpan(parent, span), startedAt, handlers: '', sending: undefined }
    attempts.set(info.scope, attempt)
    return attempt
  }

  /** A delivery that ended before anybody was told that it began: one that was damaged, or came while all was full. */
  function startLate(event: ObservedEvent<'finished'>): AttemptSpan | undefined {
    return startAttempt(event, { isFromInbox: event.attempt !== undefined, startedAt: Date.now() - event.durationMs })
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
      const isFromInbox = source === 'inbox'
      startAttempt(event, {
        isFromInbox,
        startedAt: isFromInbox ? Date.now() : receivedAt.getTime(),
        bodyBytes,
        traceparent: traceparent ?? senderTraceparent,
      })
    },
    runHandler({ scope, handler }, run) {
      const attempt = attempts.get(scope)
      if (!attempt) return run()
      attempt.handlers += attempt.handlers && ', '
      attempt.handlers += handler
      return context.with(attempt.context, () => runRecorded(run, handler, attempt.span))
    },
    send({ scope, topic }) {
      const attempt = attempts.get(scope)
      if (!attempt) return undefined
      const { name, ...options } = sending.get(topic ?? OTHER_TOPIC)
      attempt.sending = tracer.startSpan(name, options, attempt.context)
      return writeTraceparent(attempt.sending.spanContext())
    },
    endSending({ scope }) {
      const attempt = attempts.get(scope)
      if (attempt) endSending(attempt)
    },
    end(event) {
      const attempt = attempts.get(event.scope) ?? (isTracing ? startLate(event) : undefined)
      if (!attempt) return
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

function describeSpan(operation: 'process' | 'send', kind: SpanKind, topic: string) {
  const attributes: Attributes = {
    [ATTRIBUTES.system]: SYSTEM,
    [ATTRIBUTES.operationName]: operation,
    [ATTRIBUTES.operationType]: operation,
    [ATTRIBUTES.destination]: topic,
  }
  return { name: `${operation} ${topic}`, kind, attributes }
}

/** Attributes without a value are left out by the SDK. */
function describeEnd(event: ObservedEvent<'finished'>, handlers: string): Attributes {
  const { deliveryId, outcome, code, attempt, organizationId, mode } = event
  return {
    [ATTRIBUTES.messageId]: deliveryId,
    [ATTRIBUTES.outcome]: outcome,
    [ATTRIBUTES.errorType]: code,
    [ATTRIBUTES.handler]: handlers || undefined,
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
