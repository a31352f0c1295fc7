import { startChild } from './children.ts'
import type { RecorderAnswer, RecorderName, RecorderQuestion, RecorderTask } from './recorder-receiver.ts'
import { asCell, type Findings } from './report.ts'
import { quantile, ratioBetween } from './rounds.ts'
import { RUN_SIZES } from './run-sizes.ts'

const KILOBYTES = 20
const WARM_UP_ROUNDS = 2
const NAMES: readonly RecorderName[] = ['none', 'no-op', 'memory', 'file']

/** What a recorder costs a delivery in process, in CPU time of the main thread, once it is full of bodies. */
export async function benchRecorder(progress: (message: string) => void): Promise<Findings> {
  const { rounds, segments } = RUN_SIZES.recorder
  const child = startChild<RecorderQuestion, RecorderAnswer>('./recorder-receiver.ts', {
    kilobytes: KILOBYTES,
  } satisfies RecorderTask)
  progress(`recorder, ${WARM_UP_ROUNDS + rounds} rounds`)
  const answers: RecorderAnswer[] = []
  for (let round = 0; round < WARM_UP_ROUNDS + rounds; round++) answers.push(await child.ask({ segments }))
  await child.end()
  return findingsOf(answers.slice(WARM_UP_ROUNDS))
}

function findingsOf(answers: readonly RecorderAnswer[]): Findings {
  const of = (name: RecorderName) => answers.map(({ cpu }) => cpu[name])
  const against = (name: RecorderName) => ratioBetween(of(name), of('none'))
  const last = answers.at(-1)
  const rows = NAMES.map((name) => [
    name,
    `${quantile(of(name), 0.5).toFixed(1)} µs`,
    asCell(against(name)),
    name === 'memory' || name === 'file' ? `${last?.searchMs[name].toFixed(0)} ms` : '',
  ])
  const title = `A recorder and deliveries of ${KILOBYTES} KB in process: CPU time of the main thread, its ratio to none (p10–p90), and a search over ${last?.records} records`
  const bars = [
    { what: 'in memory ÷ none', figure: against('memory').median, atMost: 1.05 },
    { what: 'in a file ÷ none', figure: against('file').median, atMost: 1.15 },
    { what: 'ms of a search in memory', figure: last?.searchMs.memory ?? Number.NaN, atMost: 200 },
    { what: 'ms of a search in a file', figure: last?.searchMs.file ?? Number.NaN, atMost: 200 },
  ]
  return { tables: [{ title, head: ['', 'CPU', '÷ none', 'search'], rows }], bars }
}
