import { startChild } from './children.ts'
import type { ObserversAnswer, ObserversQuestion, ObserversTask } from './observers-receiver.ts'
import { asCell, type Findings } from './report.ts'
import { quantile, ratioBetween } from './rounds.ts'
import { RUN_SIZES } from './run-sizes.ts'

const KILOBYTES = 20
const WARM_UP_ROUNDS = 1

const NONE = 'no observer'
const NO_OP = 'an observer of all events that does nothing'
const IDLE = 'OpenTelemetry, without an SDK'
const NONE_BESIDE = 'no observer, beside an SDK'
const RECORDING = 'OpenTelemetry, the SDK recording'

/**
 * What an observer costs a delivery in process, in CPU time. The SDK records in a process of its own: its async contexts
 * slow down everything in it.
 */
export async function benchObservers(progress: (message: string) => void): Promise<Findings> {
  const { rounds, turns } = RUN_SIZES.observers
  const start = (task: ObserversTask) => startChild<ObserversQuestion, ObserversAnswer>('./observers-receiver.ts', task)
  const plain = start({ records: false, kilobytes: KILOBYTES })
  const recording = start({ records: true, kilobytes: KILOBYTES })
  const names = [NONE, NO_OP, IDLE, NONE_BESIDE, RECORDING]
  const figures = new Map<string, number[]>(names.map((name) => [name, []]))
  progress(`observers, ${WARM_UP_ROUNDS + rounds} rounds`)
  for (let round = 0; round < WARM_UP_ROUNDS + rounds; round++) {
    const cpu = [
      ...(await plain.ask({ observers: ['none', 'no-op', 'opentelemetry'], turns })),
      ...(await recording.ask({ observers: ['none', 'opentelemetry'], turns })),
    ]
    if (round >= WARM_UP_ROUNDS) for (const [at, name] of names.entries()) figures.get(name)?.push(Number(cpu[at]))
  }
  await Promise.all([plain.end(), recording.end()])
  return findingsOf(figures)
}

function findingsOf(figures: ReadonlyMap<string, readonly number[]>): Findings {
  const of = (name: string) => figures.get(name) ?? []
  const against = (name: string) => ratioBetween(of(name), of(NONE))
  const more = (name: string) =>
    quantile(
      of(name).map((cpu, round) => cpu - (of(NONE)[round] ?? Number.NaN)),
      0.5,
    )
  const rows = [...figures.keys()].map((name) => [
    name,
    `${quantile(of(name), 0.5).toFixed(0)} µs`,
    asCell(against(name)),
    `${more(name).toFixed(1)} µs`,
  ])
  const title = `One delivery of ${KILOBYTES} KB in process: CPU time, its ratio to that of no observer (p10–p90), and how much more`
  const bars = [
    { what: `${NO_OP} ÷ ${NONE}`, figure: against(NO_OP).median, atMost: 1.03 },
    { what: `${IDLE} ÷ ${NONE}`, figure: against(IDLE).median, atMost: 1.03 },
    { what: `µs of ${RECORDING}`, figure: more(RECORDING), atMost: 60 },
  ]
  return { tables: [{ title, head: ['', 'CPU', '÷ none', 'more'], rows }], bars }
}
