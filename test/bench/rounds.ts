import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Bench } from 'tinybench'

/** A function that is measured, and whether its result has to be awaited. */
export interface Subject {
  readonly name: string
  readonly run: () => unknown
  readonly async?: boolean
  /** Runs before its turn in each round, and is not measured. */
  readonly beforeTurn?: () => unknown
  /** Runs before each run, and is not measured. */
  readonly beforeRun?: () => unknown
}

/** One subject compared with another: the median of the ratios of all rounds, and where 80 % of them lie. */
export interface Ratio {
  readonly median: number
  readonly spread: readonly [p10: number, p90: number]
}

export interface Comparison {
  /** The median time of one run; it depends on the machine. */
  microsecondsOf(name: string): number
  ratioOf(name: string, to: string): Ratio
}

export interface RoundsOptions {
  readonly rounds: number
  /** How long each subject runs in a round. */
  readonly ms: number
}

/**
 * Runs all subjects in many short rounds, in random order. The speed of a machine changes from one second to the next
 * by more than the subjects differ, so a ratio is taken in each round, and the median of those ratios counts. The first
 * fifth of the rounds is a warm-up.
 */
export async function compare(subjects: readonly Subject[], { rounds, ms }: RoundsOptions): Promise<Comparison> {
  const warmUp = Math.ceil(rounds / 5)
  const times: Map<string, number>[] = []
  for (let round = 0; round < warmUp + rounds; round++) times.push(await runRound(shuffled(subjects), ms))
  const timesOf = (name: string) => times.slice(warmUp).map((round) => round.get(name) ?? Number.NaN)
  return {
    microsecondsOf: (name) => 1000 * quantile(timesOf(name), 0.5),
    ratioOf(name, to) {
      return ratioBetween(timesOf(name), timesOf(to))
    },
  }
}

/** The ratio between two subjects that were measured in the same rounds. */
export function ratioBetween(figures: readonly number[], against: readonly number[]): Ratio {
  const ratios = figures.map((figure, round) => figure / (against[round] ?? Number.NaN))
  return { median: quantile(ratios, 0.5), spread: [quantile(ratios, 0.1), quantile(ratios, 0.9)] }
}

async function runRound(subjects: readonly Subject[], ms: number): Promise<Map<string, number>> {
  const bench = new Bench({ time: ms, iterations: 1, warmup: false, throws: true })
  for (const { name, run, async = false, beforeTurn, beforeRun } of subjects) {
    const beforeAll = async () => {
      await beforeTurn?.()
      collectYoungGarbage()
    }
    bench.add(name, run, { async, beforeAll, ...(beforeRun && { beforeEach: () => void beforeRun() }) })
  }
  await bench.run()
  return new Map(bench.tasks.map(({ name, result }) => [name, 'latency' in result ? result.latency.mean : Number.NaN]))
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.round(q * (sorted.length - 1))] ?? Number.NaN
}

export function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}

setFlagsFromString('--expose-gc')
const gc: (options?: { type: 'minor' }) => void = runInNewContext('gc')

/**
 * So that no subject pays for the garbage of the one before. A full collection each time would make V8 drop compiled
 * code.
 */
function collectYoungGarbage(): void {
  gc({ type: 'minor' })
}

/** Runs a function once: the time it took, and the megabytes that its result holds on the heap. */
export async function runOnce(run: () => unknown): Promise<{ megabytes: number; ms: number }> {
  gc()
  const before = process.memoryUsage().heapUsed
  const start = performance.now()
  const held = [await run()]
  const ms = performance.now() - start
  gc()
  const megabytes = (process.memoryUsage().heapUsed - before) / 1e6
  held.pop()
  return { megabytes, ms }
}
