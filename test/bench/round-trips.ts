import { setTimeout as sleep } from 'node:timers/promises'
import { counted } from '../stores/counted.ts'
import { built } from './built.ts'
import { createBodies, signed } from './fresh-deliveries.ts'
import type { Bar, Findings } from './report.ts'
import { quantile } from './rounds.ts'
import { RUN_SIZES } from './run-sizes.ts'
import { SECRET, TOPIC } from './signed.ts'
import { silentLogger as logger } from './silent-logger.ts'
import { openStore, type StorePlace } from './store-engines.ts'
import { startStorePlaces } from './store-places.ts'

const KILOBYTES = 2
/** By then everything was used once: a script of Redis is sent in full the first time. */
const WARM_UP = 10

/** The round trips that a store makes for a delivery: counted, not timed. */
export async function benchRoundTrips(progress: (message: string) => void): Promise<Findings> {
  const { places, close } = await startStorePlaces()
  const rows: string[][] = []
  const bars: Bar[] = []
  for (const place of places.filter(({ engine }) => engine !== 'SQLite')) {
    progress(`round trips, ${place.engine}`)
    const counts = await countsOf(place)
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
    const figure = quantile(counts, 0.5)
    rows.push([place.engine, String(figure), mean.toFixed(3), String(Math.max(...counts))])
    bars.push({ what: `round trips to ${place.engine} for a delivery, median`, figure, atMost: 2 })
  }
  await close()
  const title = `Inline with idempotency: round trips that a delivery adds, of ${RUN_SIZES.roundTrips.deliveries} one after another`
  const head = ['', 'median', 'mean', 'most']
  const note = 'On PostgreSQL one reservation in a hundred sweeps expired rows before, which is one statement more.'
  return { tables: [{ title, head, rows, note }], bars }
}

async function countsOf(place: StorePlace): Promise<number[]> {
  let asked = () => 0
  const { store, close } = await openStore(place, (client) => {
    const counting = counted(client)
    asked = counting.asked
    return counting.client
  })
  const { createReceiver } = await built('index')
  const receiver = createReceiver({ secrets: { [TOPIC]: SECRET }, logger, idempotency: { store } }).on(TOPIC, () => {})
  const nextBody = createBodies(KILOBYTES)
  const counts: number[] = []
  for (let n = 0; n < WARM_UP + RUN_SIZES.roundTrips.deliveries; n++) {
    asked()
    const { status } = await receiver.receive(signed(nextBody()))
    if (status !== 200) throw new Error(`A delivery was answered ${status}.`)
    await sleep(0) // For what is sent after the answer, if there is any.
    counts.push(asked())
  }
  await close()
  return counts.slice(WARM_UP)
}
