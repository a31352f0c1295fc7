import { orderOfSize } from './payloads.ts'
import { asCell, type Bar, type Findings } from './report.ts'
import { quantile, type Ratio } from './rounds.ts'
import type { Framework, Usage } from './servers/child.ts'
import type { Kind } from './servers/contestant.ts'
import { CONNECTIONS, type Run, type Server, startServer } from './servers/server.ts'

const KINDS: readonly Kind[] = ['hooklayer', 'hand-written', 'octokit']
const WARM_UP_SECONDS = 1
const SECONDS = 0.7

/** One comparison: `atLeast` is the bar for our req/s over those of the hand-written handler. */
interface Match {
  readonly kilobytes: number
  readonly rounds: number
  readonly atLeast?: number
}

/** More rounds where there is a bar. */
const EVERY_SIZE: readonly Match[] = [
  { kilobytes: 2, rounds: 5 },
  { kilobytes: 20, rounds: 7, atLeast: 0.95 },
  { kilobytes: 200, rounds: 5 },
]

const PLAN: Record<Framework, { readonly title: string; readonly matches: readonly Match[] }> = {
  node: {
    title: 'node:http',
    matches: [
      { kilobytes: 2, rounds: 7, atLeast: 0.85 },
      { kilobytes: 20, rounds: 7, atLeast: 0.95 },
      { kilobytes: 200, rounds: 7, atLeast: 0.95 },
    ],
  },
  express: { title: 'Express 5', matches: EVERY_SIZE },
  koa: { title: 'Koa 3', matches: EVERY_SIZE },
  fastify: { title: 'Fastify 5', matches: EVERY_SIZE },
  fetch: { title: 'Fetch, served by @hono/node-server', matches: EVERY_SIZE },
}

/**
 * Every server adapter over loopback: ours, with a handler that reads the order, against a handler of the same framework that
 * somebody wrote by hand and that only parses it, and against octokit's middleware. Each runs in a process of its own for the
 * whole of a match; they take turns in short runs, and a ratio is the median over the rounds.
 */
export async function benchServers(progress: (message: string) => void): Promise<Findings> {
  const findings: Findings[] = []
  for (const [framework, { title, matches }] of Object.entries(PLAN)) {
    const rows: string[][] = []
    const bars: Bar[] = []
    for (const match of matches) {
      progress(`${title}, ${match.kilobytes} KB`)
      const scores = await play(framework as Framework, match)
      rows.push(...rowsOf(match, scores))
      bars.push(...barsOf(title, match, scores))
    }
    const head = ['', 'req/s', 'p99', 'CPU a delivery', 'peak RSS', 'req/s ÷ hand-written (p10–p90)']
    findings.push({ tables: [{ title: `${title} over loopback, ${CONNECTIONS} connections`, head, rows }], bars })
  }
  return { tables: findings.flatMap(({ tables }) => tables), bars: findings.flatMap(({ bars }) => bars) }
}

/** How one of them did, over all rounds. */
interface Score {
  readonly kind: Kind
  readonly runs: readonly Run[]
  readonly cpuMicroseconds: number
  readonly peakMegabytes: number
}

async function play(framework: Framework, { kilobytes, rounds }: Match): Promise<readonly Score[]> {
  const body = orderOfSize(kilobytes * 1000, 'ascii')
  const servers = await Promise.all(KINDS.map((kind) => startServer(framework, kind, body)))
  for (const server of servers) await server.load(WARM_UP_SECONDS)
  const entrants = await Promise.all(
    servers.map(async (server) => ({ server, before: await server.usage(), runs: [] as Run[] })),
  )
  for (let round = 0; round < rounds; round++) {
    const first = round % entrants.length
    const order = [...entrants.slice(first), ...entrants.slice(0, first)]
    for (const { server, runs } of order) runs.push(await server.load(SECONDS))
  }
  return Promise.all(entrants.map(({ server, before, runs }) => scoreOf(server, before, runs)))
}

async function scoreOf(server: Server, before: Usage, runs: readonly Run[]): Promise<Score> {
  const { cpuMicroseconds, peakKilobytes } = await server.usage()
  server.stop()
  const deliveries = runs.reduce((sum, run) => sum + run.deliveries, 0)
  return {
    kind: server.kind,
    runs,
    cpuMicroseconds: (cpuMicroseconds - before.cpuMicroseconds) / deliveries,
    peakMegabytes: peakKilobytes / 1000,
  }
}

function ratioOf(scores: readonly Score[], kind: Kind, to: Kind): Ratio {
  const runsOf = (wanted: Kind) => scores.find((score) => score.kind === wanted)?.runs ?? []
  const against = runsOf(to)
  const ratios = runsOf(kind).map(({ perSecond }, round) => perSecond / (against[round]?.perSecond ?? Number.NaN))
  return { median: quantile(ratios, 0.5), spread: [quantile(ratios, 0.1), quantile(ratios, 0.9)] }
}

function rowsOf({ kilobytes }: Match, scores: readonly Score[]): string[][] {
  return scores.map(({ kind, runs, cpuMicroseconds, peakMegabytes }) => {
    const median = (of: (run: Run) => number) => quantile(runs.map(of), 0.5).toFixed(0)
    return [
      `${kind}, ${kilobytes} KB`,
      median(({ perSecond }) => perSecond),
      `${median(({ p99 }) => p99)} ms`,
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
