import { isSpanContextValid, type Link, type SpanContext } from '@opentelemetry/api'

/**
 * Writes a span's context in the form of the `traceparent` header; `undefined` if nothing records spans.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function writeTraceparent(context: SpanContext): string | undefined {
  if (!isSpanContextValid(context)) return undefined
  const flags = context.traceFlags.toString(16).padStart(2, '0')
  return `00-${context.traceId}-${context.spanId}-${flags}`
}

/** Links to the span that a `traceparent` names, if it names one. */
export function toLinks(traceparent: string | undefined): Link[] {
  if (traceparent === undefined) return []
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-')
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  return isSpanContextValid(context) ? [{ context }] : []
}
