import { built } from './built.ts'
import { createBodies, type SignedRequest, signed } from './fresh-deliveries.ts'
import { readOrder } from './read-order.ts'
import { asCell, type Findings } from './report.ts'
import { type Comparison, compare, type Subject } from './rounds.ts'
import { RUN_SIZES } from './run-sizes.ts'
import { SECRET, TOPIC } from './signed.ts'
import { silentLogger as logger } from './silent-logger.ts'
import { floor } from './subjects.ts'

const KILOBYTES = [2, 20, 200]
const PLAIN = 'no store'
const MEMORY = 'memory store'

/** The cost of idempotency before any store is called: mostly the event's id. */
export async function benchStoreCost(progress: (message: string) => void): Promise<Findings> {
  const rows: string[][] = []
  for (const kilobytes of KILOBYTES) {
    progress(`with and without a store, ${kilobytes} KB`)
    rows.push(rowOf(kilobytes, await measure(kilobytes)))
  }
  const title = 'One delivery in process, each of another order: ratios, median of the rounds (p10–p90)'
  const head = ['', floor.name, `${PLAIN} ÷ floor`, `${MEMORY} ÷ floor`, `${MEMORY} ÷ ${PLAIN}`]
  const note =
    'There is one build, so that what the code of idempotency costs who does not use it cannot be told from a build without it. ' +
    'A receiver without a store is the one that the part `deliver` holds against the floor.'
  return { tables: [{ title, head, rows, note }], bars: [] }
}

async function measure(kilobytes: number): Promise<Comparison> {
  const { createReceiver } = await built('index')
  const { createMemoryStore } = await built('stores/memory')
  const options = { secrets: { [TOPIC]: SECRET }, logger }
  const plain = createReceiver(options).on(TOPIC, readOrder)
  const keeping = createReceiver({ ...options, idempotency: { store: createMemoryStore() } }).on(TOPIC, readOrder)
  const nextBody = createBodies(kilobytes)
  const leastOf = floor.makeFor(nextBody())
  const { rounds, ms } = RUN_SIZES.cost
  return compare(
    [
      subject(floor.name, nextBody, ({ body }) => leastOf(body)),
      { ...subject(PLAIN, nextBody, (request) => plain.receive(request)), async: true },
      { ...subject(MEMORY, nextBody, (request) => keeping.receive(request)), async: true },
    ],
    { rounds, ms: kilobytes > 100 ? 2 * ms : ms },
  )
}

function subject(name: string, nextBody: () => Buffer, receive: (request: SignedRequest) => unknown): Subject {
  let request = signed(nextBody())
  return {
    name,
    beforeRun() {
      request = signed(nextBody())
    },
    run: () => receive(request),
  }
}

function rowOf(kilobytes: number, { microsecondsOf, ratioOf }: Comparison): string[] {
  return [
    `${kilobytes} KB`,
    `${microsecondsOf(floor.name).toFixed(0)} µs`,
    asCell(ratioOf(PLAIN, floor.name)),
    asCell(ratioOf(MEMORY, floor.name)),
    asCell(ratioOf(MEMORY, PLAIN)),
  ]
}
