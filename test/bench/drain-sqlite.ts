import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Receiver } from '../../src/index.ts'
import { built } from './built.ts'
import { createBodies, type SignedRequest, signed, stored } from './fresh-deliveries.ts'
import { readOrder } from './read-order.ts'
import { asCell, type Bar, type Findings } from './report.ts'
import { quantile, ratioBetween } from './rounds.ts'
import { RUN_SIZES } from './run-sizes.ts'
import { sendAll } from './senders.ts'
import { SECRET, TOPIC } from './signed.ts'
import { silentLogger as logger } from './silent-logger.ts'
import { createSmallBodies } from './small-bodies.ts'
import { GENEROUS_TIMEOUT_MS } from './timeouts.ts'

const SENDERS = 64
const KILOBYTES = [0.1, 2, 20, 60]

interface Rates {
  /** Deliveries a second: taken in by `receive`, and then handled by one worker. */
  readonly taken: number
  readonly drained: number
  /** The 99th percentile of `put`, in milliseconds, while a worker drains. */
  readonly putMs: number
}

/** Draining a SQLite inbox by one worker with its default concurrency, against taking in the same deliveries. */
export async function benchDrainingSqlite(progress: (message: string) => void): Promise<Findings> {
  const rows: string[][] = []
  const bars: Bar[] = []
  for (const kilobytes of KILOBYTES) {
    progress(`draining, ${kilobytes} KB`)
    const rounds: Rates[] = []
    for (let round = 0; round < RUN_SIZES.drainSqlite.rounds; round++) rounds.push(await runRound(kilobytes))
    const median = (of: (rates: Rates) => number) => quantile(rounds.map(of), 0.5)
    const drained = rounds.map((rates) => rates.drained)
    const taken = rounds.map((rates) => rates.taken)
    const ratio = ratioBetween(drained, taken)
    const putMs = median((rates) => rates.putMs)
    rows.push([
      `${kilobytes} KB`,
      quantile(taken, 0.5).toFixed(0),
      quantile(drained, 0.5).toFixed(0),
      asCell(ratio),
      putMs.toFixed(1),
    ])
    bars.push({ what: `put beside a draining worker, p99 in ms, ${kilobytes} KB`, figure: putMs, atMost: 25 })
    if (kilobytes < 1) bars.push({ what: 'drained/s, 0.1 KB', figure: quantile(drained, 0.5), atLeast: 8000 })
    else bars.push({ what: `drained ÷ taken in, SQLite, ${kilobytes} KB`, figure: ratio.median, atLeast: 0.7 })
  }
  const title = `SQLite: taken in by \`receive\`, ${SENDERS} at once, and drained by one worker, a second (p10–p90)`
  const head = ['', 'taken in', 'drained', 'drained ÷ taken in', 'put p99 beside it, ms']
  const note = 'The handler reads the customer and the line items. One process does both, one after the other.'
  return { tables: [{ title, head, rows, note }], bars }
}

async function runRound(kilobytes: number): Promise<Rates> {
  const [{ createReceiver, createWorker }, { createSqliteInbox }] = await Promise.all([
    built('index'),
    built('inboxes/sqlite'),
  ])
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-bench-'))
  const inbox = createSqliteInbox({ file: join(folder, 'inbox.sqlite') })
  const nextBody = kilobytes < 1 ? createSmallBodies() : createBodies(kilobytes)
  const count = RUN_SIZES.drainSqlite.deliveries
  let handled = 0
  const receiver = createReceiver({ secrets: { [TOPIC]: SECRET }, inbox, logger, deadlineMs: GENEROUS_TIMEOUT_MS })
  receiver.on(TOPIC, (event, context) => {
    if (kilobytes >= 1) readOrder(event, context)
    handled += 1
  })
  const takeIn = () => {
    const requests = Array.from({ length: count }, () => signed(nextBody()))
    return timed(() => sendAll(requests.map(sendTo(receiver)), SENDERS))
  }
  const drain = async (total: number, meanwhile: () => Promise<unknown>) => {
    const worker = createWorker({ receiver, inbox, logger })
    const ms = await timed(async () => {
      while (handled < total) await meanwhile()
    })
    await worker.stop()
    return ms
  }
  const takenMs = await takeIn()
  const drainedMs = await drain(count, () => sleep(1))
  await takeIn()
  const putMs: number[] = []
  await drain(2 * count, async () => {
    const delivery = stored(nextBody())
    putMs.push(await timed(() => inbox.put(delivery)))
  })
  await inbox.close()
  rmSync(folder, { recursive: true })
  return { taken: (count * 1000) / takenMs, drained: (count * 1000) / drainedMs, putMs: quantile(putMs, 0.99) }
}

function sendTo(receiver: Receiver): (request: SignedRequest) => () => Promise<void> {
  return (request) => async () => {
    const { status } = await receiver.receive(request)
    if (status !== 202) throw new Error(`A delivery was answered ${status}.`)
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await work()
  return performance.now() - begin
}
