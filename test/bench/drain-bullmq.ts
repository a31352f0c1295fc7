import { createPostgresBackend, Queue, Worker } from 'bullmq'
import pg from 'pg'
import { startPostgres } from '../servers/postgres.ts'
import { startRedis } from '../servers/redis.ts'
import { built } from './built.ts'
import { createBodies, stored } from './fresh-deliveries.ts'
import { asCell, type Bar, type Findings } from './report.ts'
import { ratioBetween } from './rounds.ts'
import { RUN_SIZES } from './run-sizes.ts'
import { SECRET, TOPIC } from './signed.ts'
import { silentLogger } from './silent-logger.ts'
import { GENEROUS_TIMEOUT_MS } from './timeouts.ts'

const KILOBYTES = [20, 60]
const CONCURRENCY = [10, 50]
const STORED_AT_ONCE = 100

const ENGINES = [
  { name: 'BullMQ on Redis', option: 'redis', start: () => startRedis({ appendfsync: 'everysec' }) },
  { name: 'BullMQ on PostgreSQL', option: 'postgres', start: () => startPostgres({ fsync: true }) },
] as const

interface Drain {
  readonly url: string
  readonly option: 'redis' | 'postgres'
  readonly concurrency: number
  readonly bodies: readonly Buffer[]
}

/** One worker that empties an inbox, against BullMQ's own worker that only parses the same bytes. */
export async function benchDrainingBullmq(progress: (message: string) => void): Promise<Findings> {
  const rows: string[][] = []
  const bars: Bar[] = []
  for (const { name, option, start } of ENGINES) {
    const { url, close } = await start()
    for (const kilobytes of KILOBYTES) {
      const nextBody = createBodies(kilobytes)
      for (const concurrency of CONCURRENCY) {
        progress(`draining, ${name}, ${kilobytes} KB, ${concurrency} at once`)
        const [ours, bare]: [number[], number[]] = [[], []]
        for (let round = 0; round < RUN_SIZES.drainBullmq.rounds; round++) {
          const bodies = Array.from({ length: RUN_SIZES.drainBullmq.deliveries }, nextBody)
          ours.push(await drainOurs({ url, option, concurrency, bodies }))
          bare.push(await drainBare({ url, option, concurrency, bodies }))
        }
        const ratio = ratioBetween(ours, bare)
        rows.push([name, `${kilobytes} KB`, `${concurrency}`, asCell(ratio)])
        bars.push({ what: `drain, ${name}, ${kilobytes} KB, ${concurrency}`, figure: ratio.median, atLeast: 1 })
      }
    }
    await close()
  }
  const title = 'Draining with one worker: deliveries a second, as a ratio to a bare BullMQ worker (p10–p90)'
  const head = ['', 'order', 'concurrency', 'ours ÷ bare']
  const note =
    'The bare worker parses the same bytes, which its job holds as a JSON string. Redis: appendfsync everysec.'
  return { tables: [{ title, head, rows, note }], bars }
}

async function drainOurs({ url, option, concurrency, bodies }: Drain): Promise<number> {
  const [{ createBullmqInbox }, { createReceiver, createWorker }] = await Promise.all([
    built('inboxes/bullmq'),
    built('index'),
  ])
  const inbox = createBullmqInbox({ [option]: url, putTimeoutMs: GENEROUS_TIMEOUT_MS })
  await storeAll(bodies, (body) => inbox.put(stored(body)))
  const receiver = createReceiver({ secrets: { [TOPIC]: SECRET }, inbox, logger: silentLogger })
  const counter = createCounter(bodies.length)
  receiver.on(TOPIC, counter.count)
  const worker = createWorker({ receiver, inbox, concurrency, logger: silentLogger })
  const rate = await counter.rate
  await worker.stop()
  await inbox.close()
  return rate
}

async function drainBare({ url, option, concurrency, bodies }: Drain): Promise<number> {
  const pool = new pg.Pool({ connectionString: url, options: '-c search_path=bullmq' })
  const connection = option === 'redis' ? { url, maxRetriesPerRequest: null } : pool
  // BullMQ's types know Redis only.
  const create = (option === 'redis' ? undefined : createPostgresBackend) as undefined
  const queue = new Queue('bare', { connection: connection as object }, create)
  await storeAll(bodies, (body) => queue.add(TOPIC, { body: body.toString() }))
  const counter = createCounter(bodies.length)
  const parse = async ({ data }: { readonly data: { readonly body: string } }) => {
    JSON.parse(data.body)
    counter.count()
  }
  const worker = new Worker('bare', parse, { connection: connection as object, concurrency }, create)
  const rate = await counter.rate
  await worker.close()
  await queue.close()
  await pool.end()
  return rate
}

async function storeAll(bodies: readonly Buffer[], store: (body: Buffer) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < bodies.length; at += STORED_AT_ONCE) {
    await Promise.all(bodies.slice(at, at + STORED_AT_ONCE).map(store))
  }
}

/** Resolves with how many were counted a second, once all were. */
function createCounter(all: number): { count(): void; readonly rate: Promise<number> } {
  const begin = performance.now()
  let [counted, finish] = [0, (_rate: number) => {}]
  const rate = new Promise<number>((resolve) => {
    finish = resolve
  })
  return {
    rate,
    count() {
      counted += 1
      if (counted === all) finish((all * 1000) / (performance.now() - begin))
    },
  }
}
