import type { Tracer } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { createReceiver, type ReceiverOptions } from 'hooklayer'
import { createOpenTelemetryObserver, type OpenTelemetryObserverOptions } from 'hooklayer/opentelemetry'
import { recordingLogger, SECRET } from '../deliveries.ts'

/** OpenTelemetry's SDK, with exporters that keep what they get in memory. */
export interface Sdk {
  readonly tracerProvider: NodeTracerProvider
  readonly meterProvider: MeterProvider
  readonly tracer: Tracer
  /** The spans that have ended. */
  spans(): ReadableSpan[]
  /** The ended span of this name, which has to be the only one. */
  span(name: string): ReadableSpan
  /** Collects the metrics, by name. */
  metrics(): Promise<Map<string, MetricData>>
}

export function createSdk({ isSampled = true } = {}): Sdk {
  const exporter = new InMemorySpanExporter()
  const tracerProvider = new NodeTracerProvider({
    ...(!isSampled && { sampler: new AlwaysOffSampler() }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  })
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  const spans = () => exporter.getFinishedSpans()
  return {
    tracerProvider,
    meterProvider,
    tracer: tracerProvider.getTracer('shop'),
    spans,
    span(name) {
      const found = spans().filter((span) => span.name === name)
      const [only] = found
      if (!only || found.length > 1) throw new Error(`${found.length} of ${name}: ${spans().map((one) => one.name)}`)
      return only
    },
    async metrics() {
      const { resourceMetrics } = await reader.collect()
      const all = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)
      return new Map(all.map((data) => [data.descriptor.name, data]))
    },
  }
}

/** A receiver that an SDK records. */
export function createScene(
  options: Partial<ReceiverOptions> = {},
  observerOptions: OpenTelemetryObserverOptions = {},
  sdk = createSdk(),
) {
  const { tracerProvider, meterProvider } = sdk
  const { logger, lines } = recordingLogger()
  const observer = createOpenTelemetryObserver({ tracerProvider, meterProvider, ...observerOptions })
  const receiver = createReceiver({ secrets: SECRET, logger, observers: [observer], ...options })
  return { ...sdk, receiver, observer, lines }
}

/** The points of a metric: attributes and value. */
export function pointsOf(metrics: Map<string, MetricData>, name: string): [attributes: object, value: unknown][] {
  return (metrics.get(name)?.dataPoints ?? []).map(({ attributes, value }) => [attributes, value])
}

/** Runs a function while a span is active, as instrumentations of servers do. */
export async function withActiveSpan<T>(tracer: Tracer, name: string, run: () => Promise<T>): Promise<T> {
  return tracer.startActiveSpan(name, async (span) => {
    try {
      return await run()
    } finally {
      span.end()
    }
  })
}
