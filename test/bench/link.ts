import { denormalize } from '../../node_modules/@commercelayer/sdk/lib/jsonapi.js'
import { built } from './built.ts'
import { orderBytes } from './payloads.ts'
import { asCell, type Bar, type Findings } from './report.ts'
import { type Comparison, compare, runOnce } from './rounds.ts'
import { SECRET, signedHeaders } from './signed.ts'

const FLOOR = 'JSON.parse'
const OURS = 'hooklayer'
const SDK = 'SDK'
/** As many included as the SDK's denormalizer is asked to copy with cycles: its work grows with a power of them. */
const MOST_CYCLES = 40

interface Case {
  readonly included: number
  readonly cycles: boolean
}

const CASES: readonly Case[] = [
  ...[10, 100, 1000].map((included) => ({ included, cycles: false })),
  ...[10, MOST_CYCLES, 100, 1000].map((included) => ({ included, cycles: true })),
]

/**
 * The cost of linking the included resources, on top of parsing. Ours is measured through its public functions, `parse`
 * of a verified delivery and the event's `resource`: decoding UTF-8 and checking the envelope are included, as for a
 * user.
 */
export async function benchLinking(progress: (message: string) => void): Promise<Findings> {
  const rows: string[][] = []
  const bars: Bar[] = []
  for (const { included, cycles } of CASES) {
    progress(`linking ${included} included, ${cycles ? 'with' : 'without'} cycles`)
    const measured = await measure({ included, cycles })
    rows.push(rowOf({ included, cycles }, measured))
    if (included === 1000 && cycles) {
      const figure = measured.comparison.ratioOf(OURS, FLOOR).median
      bars.push({ what: 'linking 1,000 with cycles ÷ JSON.parse', figure, atMost: 1.15 })
    }
  }
  const head = ['included', FLOOR, 'hooklayer', 'a resource', 'heap', 'SDK denormalize', 'heap']
  const title =
    'Parsing and linking: ratio to JSON.parse of the same bytes (p10–p90), and the heap that the result holds'
  const note =
    'With cycles, the line items refer to the order, and stock line items and their shipment to each other. The SDK copies ' +
    `what refers back: run once for up to ${MOST_CYCLES}, and not beyond; sdk-utils overflows the stack at 10.`
  return { tables: [{ title, head, rows, note }], bars }
}

interface Measured {
  readonly comparison: Comparison
  /** The time of one run, and the heap that its result holds, for each subject that was run. */
  readonly alone: ReadonlyMap<string, { readonly ms: number; readonly megabytes: number }>
}

async function measure({ included, cycles }: Case): Promise<Measured> {
  const { verify, parse } = await built('index')
  const body = orderBytes({ included, cycles: cycles ? 'everywhere' : 'none', alphabet: 'ascii' })
  const delivery = await verify(body, signedHeaders(body), SECRET)
  const floor = { name: FLOOR, run: () => JSON.parse(body.toString()) }
  const own = { name: OURS, async: true, run: async () => (await parse(delivery)).resource }
  const sdk = { name: SDK, run: () => denormalize(JSON.parse(body.toString())) }
  const pace = included > 500 ? { rounds: 40, ms: 60 } : { rounds: 100, ms: 6 }
  const comparison = await compare(cycles ? [floor, own] : [floor, own, sdk], pace)
  const alone = new Map<string, { ms: number; megabytes: number }>()
  for (const { name, run } of cycles && included > MOST_CYCLES ? [own] : [own, sdk]) alone.set(name, await runOnce(run))
  return { comparison, alone }
}

function rowOf({ included, cycles }: Case, { comparison, alone }: Measured): string[] {
  const { microsecondsOf, ratioOf } = comparison
  const heap = (name: string) => `${Math.max(0, alone.get(name)?.megabytes ?? 0).toFixed(1)} MB`
  const sdk = alone.get(SDK)
  return [
    `${included} ${cycles ? 'with' : 'without'} cycles`,
    `${microsecondsOf(FLOOR).toFixed(0)} µs`,
    asCell(ratioOf(OURS, FLOOR)),
    `${(microsecondsOf(OURS) / included).toFixed(1)} µs`,
    heap(OURS),
    cycles ? (sdk ? `${sdk.ms.toFixed(0)} ms, once` : 'not run') : asCell(ratioOf(SDK, FLOOR)),
    sdk ? heap(SDK) : '–',
  ]
}
