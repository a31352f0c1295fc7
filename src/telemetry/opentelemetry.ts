import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import { checkMethods, checkOptions, oneOf } from '../core/check-options.ts'
import type { EventType, Inbox, ObservedEvent, Observer } from '../drivers.ts'
import { createMeasurements } from './measurements.ts'
import { createSpans } from './spans.ts'

export interface OpenTelemetryObserverOptions {
  /** Default: the global one. */
  readonly tracerProvider?: TracerProvider | undefined
  /** Default: the global one. It has to be registered before the observer is made. */
  readonly meterProvider?: MeterProvider | undefined
  /**
   * Whether spans have type and id of the resource, and the id of the event, which takes time to compute unless
   * there is a store. Default: false.
   */
  readonly captureResourceIds?: boolean | undefined
  /** Whose deliveries and dead letters are counted, each time that metrics are collected. Default: none. */
  readonly inbox?: Pick<Inbox, 'statistics'> | undefined
}

const RULES = { captureResourceIds: oneOf(false, true) }
const EVENTS: readonly EventType[] = ['received', 'refused', 'stored', 'finished']

/**
 * Makes an observer that gives OpenTelemetry a span for each delivery and each attempt of a worker, and metrics. Start
 * the SDK before. Nothing of a body, and no message of an error, is recorded.
 *
 * The span of a request is a child of the active one, which is the HTTP server's. The span of a worker begins a trace
 * of its own, with a link to the one that stored the delivery. Handlers run while the span of their delivery is active.
 *
 * @throws TypeError if an option is unknown or of another type.
 * @example
 * const observers = [createOpenTelemetryObserver({ inbox })]
 * const receiver = createReceiver({ secrets: secretsFromEnv(), inbox, observers })
 * @see docs/observability.md
 */
export function createOpenTelemetryObserver(options: OpenTelemetryObserverOptions = {}): Observer {
  const others = ['tracerProvider', 'meterProvider', 'inbox']
  const { captureResourceIds } = checkOptions('createOpenTelemetryObserver', options, RULES, others)
  const { tracerProvider = trace.getTracerProvider(), meterProvider = metrics.getMeterProvider(), inbox } = options
  checkMethods('tracerProvider', tracerProvider, ['getTracer'])
  checkMethods('meterProvider', meterProvider, ['getMeter'])
  if (inbox !== undefined) checkMethods('inbox', inbox, ['statistics'])
  const spans = createSpans(tracerProvider, captureResourceIds)
  const measurements = createMeasurements(meterProvider, inbox)

  return {
    events: EVENTS,
    onEvent(event: ObservedEvent) {
      if (event.type === 'received') {
        spans.start(event)
        measurements.start(event)
      }
      if (event.type === 'stored') spans.endSending(event)
      if (event.type === 'finished') {
        spans.end(event)
        measurements.end(event)
      }
      if (event.type === 'refused') measurements.countRefusal(event)
    },
    wrapHandler: spans.runHandler,
    toTraceparent: spans.send,
  }
}
