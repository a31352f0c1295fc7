import { availableParallelism } from 'node:os'
import { type Child, startChild } from './children.ts'
import type { ProcessQuestion, ProcessTask } from './process-receiver.ts'
import { asCell, type Findings } from './report.ts'
import { quantile, ratioBetween } from './rounds.ts'
import { RUN_SIZES } from './run-sizes.ts'
import type { StorePlace } from './store-engines.ts'
import { startStorePlaces } from './store-places.ts'

const KILOBYTES = 20
const PROCESSES = [1, 2, 4]
/** Deliveries at once, for all processes together: a shop gets as many, however many processes it has. */
const SENDERS = 64
const WARM_UP_ROUNDS = 1

const TITLES: Record<ProcessTask['does'], string> = {
  inline: 'Inline with idempotency, handled a second',
  deferred: 'Deferred with an inbox, acknowledged a second',
}

/** How many deliveries per second several receivers take that share a store or an inbox, each in its own process. */
export async function benchProcesses(
  does: ProcessTask['does'],
  progress: (message: string) => void,
): Promise<Findings> {
  const { places, close } = await startStorePlaces()
  const rows: string[][] = []
  for (const place of places) {
    progress(`${does}, several processes on one ${place.engine}`)
    rows.push(rowOf(place, await measure({ ...place, does, kilobytes: KILOBYTES })))
  }
  await close()
  const title = `${TITLES[does]}: ${KILOBYTES} KB, ${SENDERS} at once, by so many processes (÷ one of them, p10–p90)`
  const head = ['', '1 process', ...PROCESSES.slice(1).map((processes) => `${processes} processes`)]
  const note =
    'In process, from the request in memory to its answer. They share ' +
    `${availableParallelism()} cores with each other and with the server. Redis: appendfsync everysec.${does === 'deferred' ? ' Nobody drains.' : ''}`
  return { tables: [{ title, head, rows, note }], bars: [] }
}

/** Deliveries per second by number of processes, one figure for each round. */
async function measure(task: ProcessTask): Promise<ReadonlyMap<number, number[]>> {
  const most = Math.max(...PROCESSES)
  const children = Array.from({ length: most }, () => startChild<ProcessQuestion, null>('./process-receiver.ts', task))
  const rates = new Map(PROCESSES.map((processes) => [processes, [] as number[]]))
  for (let round = 0; round < WARM_UP_ROUNDS + RUN_SIZES.processes.rounds; round++) {
    for (const [processes, figures] of round % 2 === 0 ? rates : [...rates].reverse()) {
      const figure = await run(children.slice(0, processes))
      if (round >= WARM_UP_ROUNDS) figures.push(figure)
    }
  }
  await Promise.all(children.map((child) => child.end()))
  return rates
}

async function run(children: readonly Child<ProcessQuestion, null>[]): Promise<number> {
  const { deliveries } = RUN_SIZES.processes
  const share = { deliveries: deliveries / children.length, senders: SENDERS / children.length }
  await Promise.all(children.map((child) => child.ask(share)))
  const begin = performance.now()
  await Promise.all(children.map((child) => child.ask('go')))
  return (deliveries * 1000) / (performance.now() - begin)
}

function rowOf({ engine }: StorePlace, rates: ReadonlyMap<number, number[]>): string[] {
  const [one = [], ...others] = rates.values()
  const perSecond = (figures: readonly number[]) => quantile(figures, 0.5).toFixed(0)
  return [engine, perSecond(one), ...others.map((more) => `${perSecond(more)}, ${asCell(ratioBetween(more, one))}`)]
}
