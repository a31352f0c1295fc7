import type { Alphabet } from './attributes.ts'
import { built } from './built.ts'
import { orderOfSize } from './payloads.ts'
import { readOrder } from './read-order.ts'
import { asCell, type Bar, type Findings, type Table } from './report.ts'
import { type Comparison, compare } from './rounds.ts'
import { type Contestant, floor, octokit, others, ours, proveThatItVerifies } from './subjects.ts'

const KILOBYTES = [2, 20, 200] as const
const READING = 'hooklayer, a handler that reads the order'
const IDLE = 'hooklayer, a handler that leaves it alone'

const BARS: Record<Alphabet, Partial<Record<number, number>>> = {
  ascii: { 2: 1.4, 20: 1.15, 200: 1.1 },
  'non-ascii': { 20: 0.9, 200: 0.9 },
}

/** What one delivery costs in process, from the bytes in memory to the answer, as a ratio to the floor. */
export async function benchDelivery(progress: (message: string) => void): Promise<Findings> {
  const { createReceiver } = await built('index')
  const contestants = [ours(READING, createReceiver, readOrder), ours(IDLE, createReceiver, () => {}), ...others]
  const tables: Table[] = []
  const bars: Bar[] = []
  for (const alphabet of ['ascii', 'non-ascii'] as const) {
    const bySize: Comparison[] = []
    for (const kilobytes of KILOBYTES) {
      progress(`one delivery of ${kilobytes} KB, ${alphabet}`)
      const comparison = await compareAll(contestants, orderOfSize(kilobytes * 1000, alphabet))
      bySize.push(comparison)
      bars.push(...barsOf(alphabet, kilobytes, comparison))
    }
    tables.push(tableOf(alphabet, [floor, ...contestants], bySize))
  }
  return { tables, bars }
}

async function compareAll(contestants: readonly Contestant[], body: Buffer): Promise<Comparison> {
  for (const contestant of contestants) await proveThatItVerifies(contestant, body)
  const subjects = [floor, ...contestants].map(({ name, makeFor, async = false }) => {
    const deliver = makeFor(body)
    return { name, async, run: () => deliver(body) }
  })
  return compare(subjects, body.length > 100_000 ? { rounds: 80, ms: 14 } : { rounds: 150, ms: 6 })
}

function barsOf(alphabet: Alphabet, kilobytes: number, { ratioOf }: Comparison): Bar[] {
  const atMost = BARS[alphabet][kilobytes]
  const place = `${kilobytes} KB ${alphabet}`
  const reading = { what: `reading ÷ floor, ${place}`, figure: ratioOf(READING, floor.name).median }
  return [
    ...(atMost === undefined ? [] : [{ ...reading, atMost }]),
    { what: `idle ÷ octokit, ${place}`, figure: ratioOf(IDLE, octokit.name).median, atMost: 1 },
  ]
}

function tableOf(alphabet: Alphabet, contestants: readonly Contestant[], bySize: readonly Comparison[]): Table {
  const cell = (name: string, { microsecondsOf, ratioOf }: Comparison) =>
    name === floor.name ? `${microsecondsOf(name).toFixed(0)} µs` : asCell(ratioOf(name, floor.name))
  return {
    title: `One delivery in process, ${alphabet} text: ratio to the floor, median of the rounds (p10–p90)`,
    head: ['', ...KILOBYTES.map((kilobytes) => `${kilobytes} KB`)],
    rows: contestants.map(({ name }) => [name, ...bySize.map((comparison) => cell(name, comparison))]),
  }
}
