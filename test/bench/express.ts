import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import autocannon from 'autocannon'
import { orderOfSize } from './payloads.ts'
import { asCell, type Bar, type Findings } from './report.ts'
import { quantile } from './rounds.ts'
import type { Answer, Question } from './server.ts'
import { signedHeaders } from './signed.ts'

const KILOBYTES = [2, 20, 200] as const
const CONNECTIONS = 32
const WARM_UP_SECONDS = 2
const SECONDS = 3
const PAIRS = 6

type Kind = 'ours' | 'hand-written'

interface Run {
  readonly perSecond: number
  readonly p99: number
}

/**
 * Express over loopback: ours, with a handler that reads the order, against a hand-written handler that only parses it. Each
 * runs in a process of its own for the whole of a size, and they take turns; the ratio is the median over the pairs.
 */
export async function benchExpress(progress: (message: string) => void): Promise<Findings> {
  const rows: string[][] = []
  const bars: Bar[] = []
  for (const kilobytes of KILOBYTES) {
    progress(`Express, ${kilobytes} KB`)
    const { ours, handWritten, ratios } = await measurePairs(orderOfSize(kilobytes * 1000, 'ascii'))
    const ratio = quantile(ratios, 0.5)
    const spread = asCell({ median: ratio, spread: [quantile(ratios, 0.1), quantile(ratios, 0.9)] })
    rows.push([`hooklayer, ${kilobytes} KB`, ...ours, spread], [`hand-written, ${kilobytes} KB`, ...handWritten, ''])
    bars.push({ what: `Express req/s, ours ÷ hand-written, ${kilobytes} KB`, figure: ratio, atLeast: 0.95 })
  }
  const title = `Express 5 over loopback, ${CONNECTIONS} connections, median of ${PAIRS} runs of ${SECONDS} s each`
  return { tables: [{ title, head: ['', 'req/s', 'p99', 'peak RSS', 'ratio of req/s (p10–p90)'], rows }], bars }
}

async function measurePairs(body: Buffer) {
  const servers = { ours: await start('ours'), 'hand-written': await start('hand-written') }
  const runs: Record<Kind, Run[]> = { ours: [], 'hand-written': [] }
  for (const server of Object.values(servers)) await load(server.port, body, WARM_UP_SECONDS)
  for (let pair = 0; pair < PAIRS; pair++) {
    const order: Kind[] = pair % 2 === 0 ? ['ours', 'hand-written'] : ['hand-written', 'ours']
    for (const kind of order) runs[kind].push(await load(servers[kind].port, body, SECONDS))
  }
  const ratios = runs.ours.map(
    ({ perSecond }, pair) => perSecond / (runs['hand-written'][pair]?.perSecond ?? Number.NaN),
  )
  const ours = cellsOf(runs.ours, await stop(servers.ours.child))
  return { ours, handWritten: cellsOf(runs['hand-written'], await stop(servers['hand-written'].child)), ratios }
}

function cellsOf(runs: readonly Run[], peakMegabytes: number): string[] {
  const median = (of: (run: Run) => number) => quantile(runs.map(of), 0.5).toFixed(0)
  return [median(({ perSecond }) => perSecond), `${median(({ p99 }) => p99)} ms`, `${peakMegabytes.toFixed(0)} MB`]
}

async function start(kind: Kind): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(fileURLToPath(new URL('./server.ts', import.meta.url)), [kind])
  const answer = await nextAnswer(child)
  if (!('port' in answer)) throw new Error('The server did not say where it listens.')
  return { child, port: answer.port }
}

/** @returns the peak of its memory in megabytes. */
async function stop(child: ChildProcess): Promise<number> {
  const asked = nextAnswer(child)
  ask(child, 'rss')
  const answer = await asked
  ask(child, 'end')
  return 'peakKilobytes' in answer ? answer.peakKilobytes / 1000 : Number.NaN
}

function ask(child: ChildProcess, question: Question): void {
  child.send(question)
}

async function nextAnswer(child: ChildProcess): Promise<Answer> {
  const [answer] = await once(child, 'message')
  return answer
}

/** @throws if a single delivery was not answered 200. */
async function load(port: number, body: Buffer, duration: number): Promise<Run> {
  const url = `http://127.0.0.1:${port}/webhooks`
  const { 'content-length': _, ...headers } = signedHeaders(body)
  const result = await autocannon({ url, method: 'POST', headers, body, connections: CONNECTIONS, duration })
  const answered = result['2xx'] + result.non2xx
  if (answered === 0 || result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${result.non2xx} of ${answered} deliveries were refused, ${result.errors} failed.`)
  }
  return { perSecond: answered / result.duration, p99: result.latency.p99 }
}
