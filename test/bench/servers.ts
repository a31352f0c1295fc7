import { cpus } from 'node:os'
import { orderOfSize } from './payloads.ts'
import { asCell, type Bar, type Findings } from './report.ts'
import { quantile, type Ratio, ratioBetween } from './rounds.ts'
import type { Framework, Usage } from './servers/child.ts'
import type { Kind } from './servers/contestant.ts'
import { CONNECTIONS, pin, type Run, type Server, startServer } from './servers/server.ts'

const KINDS: readonly Kind[] = ['hooklayer', 'hand-written', 'octokit']
const FIRST_DELIVERIES = 400
/**
 * Until V8 has compiled all of our code, which is longer than the hand-written handler: 2,000 deliveries are not
 * enough.
 */
const WARM_UP_MS = 3000
const ROUND_MS = 150
/** Two processes of the same program differ by up to 5 % as long as they live, so each match has several of each. */
const GENERATIONS = 2
const ROUNDS = 45

/** One comparison: `atLeast` is the bar for our req/s over those of the hand-written handler. */
interface Match {
  readonly kilobytes: number
  readonly atLeast?: number
}

const EVERY_SIZE: readonly Match[] = [{ kilobytes: 2 }, { kilobytes: 20, atLeast: 0.95 }, { kilobytes: 200 }]

interface Plan {
  readonly title: string
  readonly matches: readonly Match[]
  /** Further handlers in this comparison. */
  readonly more?: readonly Kind[]
}

const PLAN: Record<Framework, Plan> = {
  node: {
    title: 'node:http',
    more: ['hand-written, raw-body'],
    matches: [
      { kilobytes: 2, atLeast: 0.85 },
      { kilobytes: 20, atLeast: 0.95 },
      { kilobytes: 200, atLeast: 0.95 },
    ],
  },
  express: { title: 'Express 5', matches: EVERY_SIZE },
  koa: { title: 'Koa 3', matches: EVERY_SIZE },
  fastify: { title: 'Fastify 5', matches: EVERY_SIZE },
  fetch: { title: 'Fetch, served by @hono/node-server', matches: EVERY_SIZE },
}

/**
 * Every server adapter over loopback: ours, with a handler that does not read the order, against a hand-written handler
 * of the same framework that only parses it, and against octokit's middleware. Each runs in processes of its own. They
 * take turns in runs so short that the speed of the machine is the same for all. A ratio is the median over the rounds
 * of all generations.
 */
export async function benchServers(progress: (message: string) => void): Promise<Findings> {
  const findings: Findings[] = []
  pin(process.pid, '1')
  for (const [framework, { title, matches, more = [] }] of Object.entries(PLAN)) {
    const rows: string[][] = []
    const bars: Bar[] = []
    for (const match of matches) {
      progress(`${title}, ${match.kilobytes} KB`)
      const scores = await runMatch(framework as Framework, match, [...KINDS, ...more])
      rows.push(...rowsOf(match, scores))
      bars.push(...barsOf(title, match, scores))
    }
    const head = ['', 'req/s', 'p99', 'CPU a delivery', 'peak RSS', 'req/s ÷ hand-written (p10–p90)']
    findings.push({ tables: [{ title: `${title} over loopback, ${CONNECTIONS} connections`, head, rows }], bars })
  }
  pin(process.pid, `0-${cpus().length - 1}`)
  return { tables: findings.flatMap(({ tables }) => tables), bars: findings.flatMap(({ bars }) => bars) }
}

/** The result of one kind of handler, over all rounds. */
interface Score {
  readonly kind: Kind
  readonly runs: readonly Run[]
  readonly cpuMicroseconds: number
  readonly peakMegabytes: number
}

async function runMatch(framework: Framework, { kilobytes }: Match, kinds: readonly Kind[]): Promise<readonly Score[]> {
  const body = orderOfSize(kilobytes * 1000, 'ascii')
  const generations: (readonly Entrant[])[] = []
  for (let n = 0; n < GENERATIONS; n++) generations.push(await runGeneration(framework, body, kinds))
  return kinds.map((kind) =>
    scoreOf(
      kind,
      generations.flat().filter((entrant) => entrant.kind === kind),
    ),
  )
}

/** The result of one process. */
interface Entrant {
  readonly kind: Kind
  readonly runs: readonly Run[]
  readonly before: Usage
  readonly after: Usage
}

async function runGeneration(framework: Framework, body: Buffer, kinds: readonly Kind[]): Promise<readonly Entrant[]> {
  const servers = await Promise.all(kinds.map((kind) => startServer(framework, kind, body)))
  const entrants: Starter[] = []
  for (const server of servers) {
    const begun = await server.load(FIRST_DELIVERIES)
    const warm = await server.load(within(WARM_UP_MS, begun))
    entrants.push({ server, deliveries: within(ROUND_MS, warm), before: await server.usage(), runs: [] })
  }
  for (let round = 0; round < ROUNDS; round++) {
    const first = round % entrants.length
    for (const { server, deliveries, runs } of [...entrants.slice(first), ...entrants.slice(0, first)]) {
      runs.push(await server.load(deliveries))
    }
  }
  return Promise.all(entrants.map(finish))
}

/** How many deliveries take so long, at the rate of that run. */
function within(ms: number, { perSecond }: Run): number {
  return Math.max(CONNECTIONS, Math.round((perSecond * ms) / 1000))
}

interface Starter {
  readonly server: Server
  /** The number in a round. */
  readonly deliveries: number
  readonly before: Usage
  readonly runs: Run[]
}

async function finish({ server, before, runs }: Starter): Promise<Entrant> {
  const after = await server.usage()
  server.stop()
  return { kind: server.kind, runs, before, after }
}

function scoreOf(kind: Kind, entrants: readonly Entrant[]): Score {
  const sum = (of: (entrant: Entrant) => number) => entrants.reduce((total, entrant) => total + of(entrant), 0)
  const deliveries = sum(({ runs }) => runs.reduce((total, run) => total + run.deliveries, 0))
  return {
    kind,
    runs: entrants.flatMap(({ runs }) => runs),
    cpuMicroseconds: sum(({ before, after }) => after.cpuMicroseconds - before.cpuMicroseconds) / deliveries,
    peakMegabytes: Math.max(...entrants.map(({ after }) => after.peakKilobytes)) / 1000,
  }
}

function ratioOf(scores: readonly Score[], kind: Kind, to: Kind): Ratio {
  const runsOf = (wanted: Kind) =>
    scores.find((score) => score.kind === wanted)?.runs.map(({ perSecond }) => perSecond) ?? []
  return ratioBetween(runsOf(kind), runsOf(to))
}

function rowsOf({ kilobytes }: Match, scores: readonly Score[]): string[][] {
  return scores.map(({ kind, runs, cpuMicroseconds, peakMegabytes }) => {
    const perSecond = runs.map((run) => run.perSecond)
    const latencies = runs.flatMap((run) => run.latencies)
    return [
      `${kind}, ${kilobytes} KB`,
      quantile(perSecond, 0.5).toFixed(0),
      `${quantile(latencies, 0.99).toFixed(0)} ms`,
      `${cpuMicroseconds.toFixed(0)} µs`,
      `${peakMegabytes.toFixed(0)} MB`,
      kind === 'hand-written' ? '' : asCell(ratioOf(scores, kind, 'hand-written')),
    ]
  })
}

function barsOf(title: string, { kilobytes, atLeast }: Match, scores: readonly Score[]): Bar[] {
  const bar = (to: Kind, least: number): Bar => ({
    what: `${title}, req/s, ours ÷ ${to}, ${kilobytes} KB`,
    figure: ratioOf(scores, 'hooklayer', to).median,
    atLeast: least,
  })
  return [...(atLeast === undefined ? [] : [bar('hand-written', atLeast)]), bar('octokit', 1)]
}
