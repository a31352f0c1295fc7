import { type Attributes, createNoopMeter, type Meter, type MeterProvider } from '@opentelemetry/api'
import type { Inbox, ObservedEvent } from '../drivers.ts'
import { ATTRIBUTES, METRICS, OTHER_TOPIC, SCOPE, SYSTEM } from './names.ts'

/** Seconds, as the conventions have them. */
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

type Source = ObservedEvent<'received'>['source']

/** Measures deliveries by what an observer is told. */
export interface Measurements {
  start(event: ObservedEvent<'received'>): void
  end(event: ObservedEvent<'finished'>): void
  countRefusal(event: ObservedEvent<'refused'>): void
}

/** Where nobody measures. */
const NO_MEASUREMENTS: Measurements = { start() {}, end() {}, countRefusal() {} }

export function createMeasurements(
  provider: MeterProvider,
  inbox: Pick<Inbox, 'statistics'> | undefined,
): Measurements {
  const meter = provider.getMeter(SCOPE)
  if (meter === createNoopMeter()) return NO_MEASUREMENTS
  const processDuration = meter.createHistogram(METRICS.processDuration, {
    unit: 's',
    description: 'Duration of processing operation.',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS },
  })
  const consumedMessages = meter.createCounter(METRICS.consumedMessages, {
    unit: '{message}',
    description: 'Number of messages that were delivered to the application.',
  })
  const signatureFailures = meter.createCounter(METRICS.signatureFailures, {
    unit: '{request}',
    description: 'Number of requests that were refused because of their signature.',
  })
  const circuitFailures = meter.createObservableGauge(METRICS.circuitFailures, {
    unit: '{failure}',
    description: 'Number of deliveries of a topic that have failed in a row. The circuit opens at 30.',
  })
  /** As many topics as are known, and one for all others. */
  const failuresByTopic = new Map<string, number>()
  circuitFailures.addCallback((result) => {
    for (const [topic, failures] of failuresByTopic) result.observe(failures, { [ATTRIBUTES.destination]: topic })
  })
  const sources = new WeakMap<object, Source>()

  if (inbox) observeInbox(meter, inbox)

  return {
    start({ scope, source }) {
      sources.set(scope, source)
    },
    end(event) {
      const { topic = OTHER_TOPIC, durationMs, consecutiveFailures } = event
      const attributes = describeEnd(event)
      processDuration.record(durationMs / 1000, attributes)
      const source = sources.get(event.scope) ?? guessSource(event)
      if (source !== 'inbox') consumedMessages.add(1, attributes)
      if (source === 'request') failuresByTopic.set(topic, consecutiveFailures)
    },
    countRefusal({ topic, code, status }) {
      if (status !== 401) return
      signatureFailures.add(1, { [ATTRIBUTES.destination]: topic ?? OTHER_TOPIC, [ATTRIBUTES.errorType]: code })
    },
  }
}

/** Of a delivery that failed before anybody was told that it came. Only the answer to a request counts as a failure. */
function guessSource({ attempt, consecutiveFailures }: ObservedEvent<'finished'>): Source {
  if (attempt !== undefined) return 'inbox'
  return consecutiveFailures > 0 ? 'request' : 'redelivery'
}

function describeEnd({ topic, outcome, code }: ObservedEvent<'finished'>): Attributes {
  const attributes: Attributes = {
    [ATTRIBUTES.system]: SYSTEM,
    [ATTRIBUTES.operationName]: 'process',
    [ATTRIBUTES.destination]: topic ?? OTHER_TOPIC,
    [ATTRIBUTES.outcome]: outcome,
  }
  if (code !== undefined) attributes[ATTRIBUTES.errorType] = code
  return attributes
}

function observeInbox(meter: Meter, inbox: Pick<Inbox, 'statistics'>): void {
  const depth = meter.createObservableGauge(METRICS.inboxDepth, {
    unit: '{message}',
    description: 'Number of deliveries in the inbox that are not handled yet.',
  })
  const dead = meter.createObservableGauge(METRICS.inboxDead, {
    unit: '{message}',
    description: 'Number of dead letters in the inbox.',
  })
  meter.addBatchObservableCallback(
    async (result) => {
      const counts = await inbox.statistics()
      result.observe(depth, counts.queued + counts.running + counts.failed + counts.unhandled)
      result.observe(dead, counts.dead)
    },
    [depth, dead],
  )
}
