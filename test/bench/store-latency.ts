import type { IdempotencyStore } from '../../src/drivers.ts'
import type { Findings } from './report.ts'
import { quantile } from './rounds.ts'
import { RUN_SIZES } from './run-sizes.ts'
import { openStore } from './store-engines.ts'
import { startStorePlaces } from './store-places.ts'

/** The first operations of each kind do not count. */
const WARM_UP = 100
const LEASE_MS = 15_000
const RETENTION_MS = 7 * 24 * 60 * 60 * 1000

/** Milliseconds of each operation. */
interface Times {
  readonly reserve: number[]
  readonly complete: number[]
}

/** The time of one operation of each store. The stores take turns after every event. */
export async function benchStoreLatency(progress: (message: string) => void): Promise<Findings> {
  progress('latency of the stores')
  const { places, close } = await startStorePlaces()
  const all = [{ engine: 'memory', place: '' } as const, ...places]
  const entrants = await Promise.all(
    all.map(async (place) => {
      const times: Times = { reserve: [], complete: [] }
      return { engine: place.engine, opened: await openStore(place), times }
    }),
  )
  for (let event = 0; event < WARM_UP + RUN_SIZES.latency.events; event++) {
    for (const { opened, times } of entrants) await handle(opened.store, event, times)
  }
  await Promise.all(entrants.map(({ opened }) => opened.close()))
  await close()
  const rows = entrants.map(({ engine, times }) => [engine, ...cellsOf(times.reserve), ...cellsOf(times.complete)])
  const title = `A store's operations, one at a time, ${RUN_SIZES.latency.events} of each`
  const head = ['', 'reserve p50', 'p99', 'complete p50', 'p99']
  const note =
    'Redis: appendfsync everysec. PostgreSQL waits for the disk with both, SQLite with what completes an event. ' +
    'These figures depend on the machine and its disk.'
  return { tables: [{ title, head, rows, note }], bars: [] }
}

async function handle(store: IdempotencyStore, event: number, { reserve, complete }: Times): Promise<void> {
  const key = `a digest of sixty-four characters would be as long as this text ${event}`
  const version = { resource: `orders/${event}`, updatedAt: '2026-01-01T00:00:00.000Z' }
  const begin = performance.now()
  const reservation = await store.reserve(key, { leaseMs: LEASE_MS, version })
  const reserved = performance.now()
  if (reservation.state !== 'reserved') throw new Error(`An event was ${reservation.state}.`)
  await store.complete(key, reservation.token, { retentionMs: RETENTION_MS, version })
  reserve.push(reserved - begin)
  complete.push(performance.now() - reserved)
}

function cellsOf(times: readonly number[]): string[] {
  const counted = times.slice(WARM_UP)
  return [0.5, 0.99].map((q) => `${quantile(counted, q).toFixed(3)} ms`)
}
