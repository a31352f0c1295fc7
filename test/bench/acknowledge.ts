import { createHmac } from 'node:crypto'
import { built } from './built.ts'
import { createBodies, signed, stored } from './fresh-deliveries.ts'
import { INBOX_ENGINES, type InboxEngine, type OpenEngine } from './inbox-engines.ts'
import { asCell, type Bar, type Findings } from './report.ts'
import { type Comparison, compare, type Subject } from './rounds.ts'
import { RUN_SIZES } from './run-sizes.ts'
import { sendAll } from './senders.ts'
import { SECRET, TOPIC } from './signed.ts'
import { silentLogger } from './silent-logger.ts'
import { GENEROUS_TIMEOUT_MS } from './timeouts.ts'

const KILOBYTES = 20
const SENDERS = [1, 64]
/** How many deliveries each sender sends in a run. */
const EACH = 3

const BARE = 'bare'
const HAND_WRITTEN = 'HMAC + bare'
const PUT = 'put'
const RECEIVE = 'receive'

/** What it takes to vouch for a delivery, against what the engine takes to add the same bytes without us. */
export async function benchAcknowledging(progress: (message: string) => void): Promise<Findings> {
  const rows: string[][] = []
  const bars: Bar[] = []
  for (const engine of INBOX_ENGINES) {
    for (const senders of SENDERS) {
      progress(`acknowledging, ${engine.name}, ${senders} at once`)
      const comparison = await measure(engine, senders)
      rows.push(rowOf(engine, senders, comparison))
      bars.push(...barsOf(engine, senders, comparison))
    }
  }
  const title = `Acknowledging a delivery of ${KILOBYTES} KB: time, as a ratio to the engine's own way of adding the same bytes (p10–p90)`
  const head = ['', 'bare, each', 'put ÷ bare', 'receive ÷ bare', 'receive ÷ HMAC + bare', 'acknowledged/s']
  const note =
    'Bare is one `INSERT` into a table with a primary key, or `queue.add` of the body in base64, without what tells duplicates. ' +
    '`receive` goes from the request in memory to its 202: over the bytes it computes their HMAC, and a digest for the id. ' +
    'SQLite and PostgreSQL wait for the disk; Redis as named.'
  return { tables: [{ title, head, rows, note }], bars }
}

async function measure({ open }: InboxEngine, senders: number): Promise<Comparison> {
  const { createReceiver } = await built('index')
  const engine = await open()
  const { inbox } = engine
  const receiver = createReceiver({
    secrets: { [TOPIC]: SECRET },
    inbox,
    deadlineMs: GENEROUS_TIMEOUT_MS,
    logger: silentLogger,
  })
  const nextBody = createBodies(KILOBYTES)
  const subject = subjectsFor(engine, senders)
  try {
    return await compare(
      [
        subject(BARE, () => engine.bare(stored(nextBody()))),
        subject(HAND_WRITTEN, () => {
          const { body, headers } = signed(nextBody())
          const add = engine.bare(stored(body))
          return () => {
            check(signatureOf(body), headers['x-commercelayer-signature'])
            return add()
          }
        }),
        subject(PUT, () => {
          const delivery = stored(nextBody())
          return async () => check(await inbox.put(delivery), 'stored')
        }),
        subject(RECEIVE, () => {
          const request = signed(nextBody())
          return async () => check((await receiver.receive(request)).status, 202)
        }),
      ],
      RUN_SIZES.acknowledge,
    )
  } finally {
    await engine.close()
  }
}

type MakeReady = () => () => unknown

function subjectsFor({ clear }: OpenEngine, senders: number): (name: string, makeReady: MakeReady) => Subject {
  return (name, makeReady) => {
    let work: (() => unknown)[] = []
    return {
      name,
      async: true,
      beforeTurn: clear,
      beforeRun() {
        work = Array.from({ length: senders * EACH }, makeReady)
      },
      run: () => sendAll(work, senders),
    }
  }
}

function check(found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`A delivery was ${found} instead of ${expected}.`)
}

function signatureOf(body: Buffer): string {
  return createHmac('sha256', SECRET).update(body).digest('base64')
}

function rowOf({ name }: InboxEngine, senders: number, { microsecondsOf, ratioOf }: Comparison): string[] {
  return [
    `${name}, ${senders} at once`,
    `${(microsecondsOf(BARE) / senders / EACH).toFixed(0)} µs`,
    asCell(ratioOf(PUT, BARE)),
    asCell(ratioOf(RECEIVE, BARE)),
    asCell(ratioOf(RECEIVE, HAND_WRITTEN)),
    perSecond(senders, microsecondsOf(RECEIVE)).toFixed(0),
  ]
}

function barsOf({ name }: InboxEngine, senders: number, { microsecondsOf, ratioOf }: Comparison): Bar[] {
  const place = `${name}, ${senders} at once`
  const bars: Bar[] = [PUT, RECEIVE].map((what) => ({
    what: `${what} ÷ bare, ${place}`,
    figure: ratioOf(what, BARE).median,
    atMost: 1.25,
  }))
  if (name !== 'SQLite' || senders === 1) return bars
  return [
    ...bars,
    { what: `acknowledged/s, ${place}`, figure: perSecond(senders, microsecondsOf(RECEIVE)), atLeast: 2000 },
  ]
}

function perSecond(senders: number, microseconds: number): number {
  return (senders * EACH * 1e6) / microseconds
}
