import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { DeliveryRecorder } from '../../src/drivers.ts'
import { built } from './built.ts'
import { answerWith, readTask } from './children.ts'
import { createBodies, signed } from './fresh-deliveries.ts'
import { readOrder } from './read-order.ts'
import { quantile, shuffled } from './rounds.ts'
import { SECRET, TOPIC } from './signed.ts'
import { silentLogger as logger } from './silent-logger.ts'

export interface RecorderTask {
  readonly kilobytes: number
}

/** Asks for so many segments with each recorder, in random order. */
export interface RecorderQuestion {
  readonly segments: number
}

export const RECORDERS = ['none', 'no-op', 'memory', 'file'] as const
export type RecorderName = (typeof RECORDERS)[number]

export interface RecorderAnswer {
  /**
   * CPU microseconds of a delivery in the main thread: the lower quartile of the segments. Whatever else the machine
   * does makes a segment longer, and never shorter.
   */
  readonly cpu: Readonly<Record<RecorderName, number>>
  /** Milliseconds of a search over all records, which finds none: the best of five. */
  readonly searchMs: Readonly<Record<'memory' | 'file', number>>
  readonly records: number
}

/** How many deliveries a segment has, in turns of ten. */
const SEGMENT = 100
const TURN = 10
/** Until a recorder has written what a segment has left. */
const REST_MS = 80

const { kilobytes } = readTask<RecorderTask>()
const { createReceiver } = await built('index')
const { createRecorder } = await built('recorder')
const folder = mkdtempSync(join(tmpdir(), 'hooklayer-bench-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

const memory = createRecorder()
const file = createRecorder({ file: join(folder, 'records.sqlite') })
const make = (recorder?: DeliveryRecorder) =>
  createReceiver({ secrets: { [TOPIC]: SECRET }, logger, recorder }).on(TOPIC, readOrder)
const receivers = { none: make(), 'no-op': make({ record() {} }), memory: make(memory), file: make(file) }
const nextBody = createBodies(kilobytes)

answerWith<RecorderQuestion>(async ({ segments }): Promise<RecorderAnswer> => {
  const figures: Record<RecorderName, number[]> = { none: [], 'no-op': [], memory: [], file: [] }
  for (let segment = 0; segment < segments; segment++) {
    for (const name of shuffled(RECORDERS)) figures[name].push(await measure(name))
  }
  const of = (name: RecorderName) => quantile(figures[name], 0.25)
  const cpu = { none: of('none'), 'no-op': of('no-op'), memory: of('memory'), file: of('file') }
  const searchMs = { memory: await timeSearch(memory), file: await timeSearch(file) }
  const { records } = await file.statistics({ since: new Date(), spanMs: 60_000 })
  return { cpu, searchMs, records }
})

async function measure(name: RecorderName): Promise<number> {
  const requests = Array.from({ length: SEGMENT }, () => signed(nextBody()))
  const before = readMainThread()
  for (const [i, request] of requests.entries()) {
    const { status } = await receivers[name].receive(request)
    if (status !== 200) throw new Error(`A delivery was answered ${status}.`)
    if (i % TURN === TURN - 1) await setImmediate() // As between the requests of a server.
  }
  await setTimeout(REST_MS)
  return (readMainThread() - before) / SEGMENT
}

async function timeSearch(recorder: typeof memory): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let time = 0; time < 5; time++) {
    const before = performance.now()
    const { records } = await recorder.list({ search: 'no-such-order' })
    if (records.length > 0) throw new Error('The search has found something.')
    best = Math.min(best, performance.now() - before)
  }
  return best
}

/** Microseconds that this thread has run, where the system can tell; else those of the whole process. */
function readMainThread(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1000
  } catch {
    const { user, system } = process.cpuUsage()
    return user + system
  }
}
