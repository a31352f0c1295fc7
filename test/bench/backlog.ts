import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Inbox } from '../../src/index.ts'
import { openDatabase } from '../../src/sqlite/open.ts'
import { startPostgres } from '../servers/postgres.ts'
import { startRedis } from '../servers/redis.ts'
import type { BacklogAnswer, BacklogQuestion, BacklogTask } from './backlog-worker.ts'
import { built } from './built.ts'
import { startChild } from './children.ts'
import { createBodies, stored } from './fresh-deliveries.ts'
import type { Bar, Findings } from './report.ts'
import { quantile } from './rounds.ts'
import { RUN_SIZES } from './run-sizes.ts'
import { createSmallBodies } from './small-bodies.ts'
import { GENEROUS_TIMEOUT_MS } from './timeouts.ts'

const AT_ONCE = 500
const OPENINGS = 9
const FEW = 1000
const WORK_MS = 8000
const MEGABYTE = 2 ** 20

/** What a long queue costs whoever opens it, counts it and works on it. */
export async function benchBacklog(progress: (message: string) => void): Promise<Findings> {
  const { small, large } = RUN_SIZES.backlog
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-bench-'))
  const bars: Bar[] = []
  const rows: string[][] = []

  progress(`a file of ${small.toLocaleString('en')} deliveries`)
  const few = await measureFile(join(folder, 'few.db'), FEW)
  const many = await measureFile(join(folder, 'many.db'), small)
  for (const [count, { openMs, statisticsMs }] of [
    [FEW, few],
    [small, many],
  ] as const) {
    rows.push([count.toLocaleString('en'), `${openMs.toFixed(1)} ms`, `${statisticsMs.toFixed(2)} ms`])
  }
  const title = 'SQLite: opening a file of so many deliveries after a clean close, and `statistics()`'
  const opening = { title, head: ['queued', 'opening', '`statistics()`'], rows }
  bars.push({ what: 'opening a long file ÷ a short one', figure: many.openMs / few.openMs, atMost: 2 })
  bars.push({ what: 'statistics() of the long file, ms', figure: many.statisticsMs, atMost: 5 })

  progress(`memory of a worker with ${large.toLocaleString('en')} queued`)
  const redis = await startRedis({ appendfsync: 'everysec' })
  const postgres = await startPostgres({ fsync: true })
  const places = {
    SQLite: { file: join(folder, 'large.db') },
    'BullMQ on Redis': { redis: redis.url },
    'BullMQ on PostgreSQL': { postgres: postgres.url },
  }
  const grown: string[][] = []
  for (const [name, place] of Object.entries(places)) {
    await fill(await open(place), 'postgres' in place ? FEW : large, createBodies(2))
    if ('postgres' in place) await multiplyJobs(place.postgres, large / FEW)
    const { megabytes, handled } = await measureWorker(place)
    grown.push([name, `${megabytes.toFixed(0)} MB`, handled.toLocaleString('en')])
    bars.push({ what: `MB over idle, a worker with a long queue, ${name}`, figure: megabytes, atMost: 60 })
  }
  await Promise.all([redis.close(), postgres.close()])
  rmSync(folder, { recursive: true })
  const head = ['', 'over idle, at the most', 'handled meanwhile']
  const memory = { title: `A worker that starts with ${large.toLocaleString('en')} queued, 2 KB`, head, rows: grown }
  return { tables: [opening, memory], bars }
}

async function open(place: BacklogTask): Promise<Inbox> {
  const maxQueued = 2_000_000
  if ('file' in place) return (await built('inboxes/sqlite')).createSqliteInbox({ ...place, maxQueued })
  return (await built('inboxes/bullmq')).createBullmqInbox({ ...place, maxQueued, putTimeoutMs: GENEROUS_TIMEOUT_MS })
}

async function fill(inbox: Inbox, count: number, nextBody: () => Buffer): Promise<void> {
  for (let put = 0; put < count; put += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => inbox.put(stored(nextBody()))))
  }
  await inbox.close()
}

/** Makes a file of a few deliveries one of many: storing a million of them takes minutes. */
function multiply(file: string, times: number): void {
  const { database, close } = openDatabase({ file }, '')
  database.exec(`
    BEGIN;
    INSERT INTO hooklayer_deliveries (id, topic, received_at, due_at, state)
    WITH RECURSIVE series(number) AS (SELECT 2 UNION ALL SELECT number + 1 FROM series WHERE number < ${times})
    SELECT id || ' ' || number, topic, received_at, due_at, state FROM hooklayer_deliveries, series WHERE number <= ${times};
    INSERT OR IGNORE INTO hooklayer_bodies
    SELECT seq, (SELECT body FROM hooklayer_bodies LIMIT 1) FROM hooklayer_deliveries;
    COMMIT`)
  close()
}

/** The same in PostgreSQL, which takes in a thousand a second. */
async function multiplyJobs(url: string, times: number): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  const changes = `jsonb_build_object('id', id || n, 'dedup_id', dedup_id || n, 'seq', nextval('bullmq.job_seq'))`
  await client.query(
    `INSERT INTO bullmq.job SELECT (jsonb_populate_record(job, ${changes})).* FROM bullmq.job, generate_series(2, $1) n`,
    [times],
  )
  await client.end()
}

/** Medians of several openings. */
async function measureFile(file: string, count: number): Promise<{ openMs: number; statisticsMs: number }> {
  await fill(await open({ file }), FEW, createSmallBodies())
  if (count > FEW) multiply(file, count / FEW)
  const times: { readonly openMs: number; readonly statisticsMs: number }[] = []
  for (let round = 0; round < OPENINGS; round++) {
    const begin = performance.now()
    const inbox = await open({ file })
    const opened = performance.now()
    await inbox.statistics()
    times.push({ openMs: opened - begin, statisticsMs: performance.now() - opened })
    await inbox.close()
  }
  const median = (of: (time: (typeof times)[number]) => number) => quantile(times.map(of), 0.5)
  return { openMs: median((time) => time.openMs), statisticsMs: median((time) => time.statisticsMs) }
}

async function measureWorker(place: BacklogTask): Promise<{ megabytes: number; handled: number }> {
  const child = startChild<BacklogQuestion, BacklogAnswer>('./backlog-worker.ts', place)
  const { grown, handled } = await child.ask({ ms: WORK_MS })
  await child.end()
  return { megabytes: grown / MEGABYTE, handled }
}
