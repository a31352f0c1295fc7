import { setImmediate } from 'node:timers/promises'
import { metrics } from '@opentelemetry/api'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import type { Observer } from '../../src/drivers.ts'
import { built } from './built.ts'
import { answerWith, readTask } from './children.ts'
import { createBodies, signed } from './fresh-deliveries.ts'
import { readOrder } from './read-order.ts'
import { quantile, shuffled } from './rounds.ts'
import { SECRET, TOPIC } from './signed.ts'
import { silentLogger as logger } from './silent-logger.ts'

export interface ObserversTask {
  /** Whether OpenTelemetry's SDK records in this process. */
  readonly records: boolean
  readonly kilobytes: number
}

/** Asks for so many turns with each of these observers, in random order. */
export interface ObserversQuestion {
  readonly observers: readonly ObserverName[]
  readonly turns: number
}

export type ObserverName = 'none' | 'no-op' | 'opentelemetry'

/**
 * CPU microseconds of a delivery, in the order of the question: the lower quartile of the turns. Whatever else the
 * machine does makes a turn longer, and never shorter.
 */
export type ObserversAnswer = readonly number[]

/** How many deliveries a turn has. */
const TURN = 10

const SUCCEEDED = { code: 0 }

const { records, kilobytes } = readTask<ObserversTask>()
if (records) startSdk()
const { createReceiver } = await built('index')
const { createOpenTelemetryObserver } = await built('opentelemetry')
const make = (observers: readonly Observer[]) =>
  createReceiver({ secrets: { [TOPIC]: SECRET }, logger, observers }).on(TOPIC, readOrder)
const receivers = {
  none: make([]),
  'no-op': make([{ onEvent() {} }]),
  opentelemetry: make([createOpenTelemetryObserver()]),
}
const nextBody = createBodies(kilobytes)

answerWith<ObserversQuestion>(async ({ observers, turns }): Promise<ObserversAnswer> => {
  const figures = observers.map((): number[] => [])
  for (let turn = 0; turn < turns; turn++) {
    for (const at of shuffled([...observers.keys()])) figures[at]?.push(await takeTurn(observers[at] ?? 'none'))
    await setImmediate() // As between the requests of a server.
  }
  return figures.map((turns) => quantile(turns, 0.25) / TURN)
})

/** The CPU time of a turn. */
async function takeTurn(observer: ObserverName): Promise<number> {
  const requests = Array.from({ length: TURN }, () => signed(nextBody()))
  const before = process.cpuUsage()
  for (const request of requests) {
    const { status } = await receivers[observer].receive(request)
    if (status !== 200) throw new Error(`A delivery was answered ${status}.`)
  }
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** As for a shop, but for the exporters: what they send is not a cost of a delivery. */
function startSdk(): void {
  const spans = { export: (_: unknown, done: (result: typeof SUCCEEDED) => void) => done(SUCCEEDED) }
  const exporter = { ...spans, async shutdown() {}, async forceFlush() {} }
  new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] }).register()
  const readers = [new PeriodicExportingMetricReader({ exporter })]
  metrics.setGlobalMeterProvider(new MeterProvider({ readers }))
}
