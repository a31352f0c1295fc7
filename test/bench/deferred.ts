import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { type Child, startChild } from './children.ts'
import type { DeferredAnswer, DeferredQuestion, DeferredTask } from './deferred-receiver.ts'
import { createBodies, type SignedRequest, signed } from './fresh-deliveries.ts'
import { asCell, type Bar, type Findings } from './report.ts'
import { quantile, type Ratio, ratioBetween } from './rounds.ts'
import { RUN_SIZES } from './run-sizes.ts'

const KILOBYTES = 200
const CONNECTIONS = 32
/** The time of a quick call to another API. */
const HANDLER_MS = 5
const WARM_UP_ROUNDS = 1

/** The result of a receiver in one round: deliveries per second, and CPU microseconds for each. */
interface Rate {
  readonly perSecond: number
  readonly cpu: number
}

interface Rates {
  readonly inline: Rate
  /** The same with a store, so that each event is handled once, as with an inbox. */
  readonly once: Rate
  /** While no worker runs. */
  readonly stored: Rate
  /** While a busy worker runs, and how many deliveries that worker handles per second meanwhile. */
  readonly storedBeside: Rate
  readonly handledBeside: number
  /** By that worker, when nothing is received any more. */
  readonly handled: number
}

/** Receiving with an inbox against handling before the answer, over HTTP, each in a process of its own. */
export async function benchDeferring(progress: (message: string) => void): Promise<Findings> {
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-bench-'))
  const task = { file: join(folder, 'inbox.sqlite'), handlerMs: HANDLER_MS }
  const start = (role: DeferredTask['role']) =>
    startChild<DeferredQuestion, DeferredAnswer>('./deferred-receiver.ts', { ...task, role })
  const [inline, once, storing, worker] = [start('inline'), start('once'), start('storing'), start('worker')] as const
  const setup: Setup = {
    inline: await listening(inline),
    once: await listening(once),
    storing: await listening(storing),
    worker,
    nextBody: createBodies(KILOBYTES),
  }
  const rounds: Rates[] = []
  for (let round = 0; round < WARM_UP_ROUNDS + RUN_SIZES.deferred.rounds; round++) {
    progress(`deferring, round ${round}`)
    rounds.push(await runRound(setup))
  }
  await Promise.all([inline, once, storing, worker].map((child) => child.end()))
  rmSync(folder, { recursive: true })
  return findingsOf(rounds.slice(WARM_UP_ROUNDS))
}

type DeferredChild = Child<DeferredQuestion, DeferredAnswer>

interface Receiving {
  readonly child: DeferredChild
  readonly url: string
}

async function listening(child: DeferredChild): Promise<Receiving> {
  return { child, url: `http://127.0.0.1:${await child.ask('listen')}/` }
}

interface Setup {
  readonly inline: Receiving
  readonly once: Receiving
  readonly storing: Receiving
  readonly worker: DeferredChild
  readonly nextBody: () => Buffer
}

/** What is stored while no worker runs gives the worker enough to do while more is stored. */
async function runRound({ inline, once, storing, worker, nextBody }: Setup): Promise<Rates> {
  const count = RUN_SIZES.deferred.deliveries
  const fresh = () => Array.from({ length: count }, () => signed(nextBody()))
  const inlineRate = await measure(inline, fresh(), 200)
  const onceRate = await measure(once, fresh(), 200)
  const stored = await measure(storing, fresh(), 202)
  const more = fresh()
  await worker.ask('work')
  const storedBeside = await measure(storing, more, 202)
  const handled = await worker.ask({ handled: 0 })
  const begin = performance.now()
  await worker.ask({ handled: 2 * count })
  const restMs = performance.now() - begin
  await worker.ask('stop')
  return {
    inline: inlineRate,
    once: onceRate,
    stored,
    storedBeside,
    handledBeside: (handled * storedBeside.perSecond) / count,
    handled: ((2 * count - handled) * 1000) / restMs,
  }
}

async function measure({ child, url }: Receiving, deliveries: readonly SignedRequest[], status: number): Promise<Rate> {
  const before = await child.ask('cpu')
  const ms = await load(url, deliveries, status)
  const cpu = ((await child.ask('cpu')) - before) / deliveries.length
  return { perSecond: (deliveries.length * 1000) / ms, cpu }
}

/**
 * Milliseconds from the first request to the last answer.
 *
 * @throws if a single delivery was answered otherwise.
 */
async function load(url: string, deliveries: readonly SignedRequest[], status: number): Promise<number> {
  const prepared = deliveries.map(({ method, headers: { 'content-length': _, ...headers }, body }) => {
    return { method, headers, body }
  })
  let next = 0
  let end = 0
  const setupRequest = (request: autocannon.Request): autocannon.Request => {
    return { ...request, ...prepared[next++ % prepared.length] }
  }
  const onResponse = () => {
    end = performance.now()
  }
  const requests = [{ setupRequest, onResponse }]
  const begin = performance.now()
  const options = { url, connections: CONNECTIONS, amount: deliveries.length, sampleInt: 10, requests }
  const { statusCodeStats } = await autocannon(options)
  const found = statusCodeStats?.[`${status}`]?.count
  if (found !== deliveries.length) throw new Error(`Instead of ${status}: ${JSON.stringify(statusCodeStats)}.`)
  return end - begin
}

function findingsOf(rounds: readonly Rates[]): Findings {
  const row = (what: string, perSecond: (rates: Rates) => number, cpu?: (rates: Rates) => number) => [
    what,
    quantile(rounds.map(perSecond), 0.5).toFixed(0),
    asCell(ratio(rounds, perSecond, ({ inline }) => inline.perSecond)),
    cpu ? `${quantile(rounds.map(cpu), 0.5).toFixed(0)} µs` : '',
    cpu ? asCell(ratio(rounds, ({ inline }) => inline.cpu, cpu)) : '',
  ]
  const receiving = (what: string, name: 'inline' | 'once' | 'storedBeside' | 'stored') =>
    row(
      what,
      (rates) => rates[name].perSecond,
      (rates) => rates[name].cpu,
    )
  const title = `${KILOBYTES} KB over HTTP, ${CONNECTIONS} connections: deliveries a second, and the receiver's CPU for each (p10–p90)`
  const head = ['', 'a second', '÷ inline', 'CPU', 'inline ÷ it']
  const rows = [
    receiving('handled inline, before the answer', 'inline'),
    receiving('the same, each event once by a SQLite store', 'once'),
    receiving('acknowledged, SQLite inbox, a worker draining', 'storedBeside'),
    row('handled by that worker meanwhile', ({ handledBeside }) => handledBeside),
    receiving('acknowledged, SQLite inbox, nobody draining', 'stored'),
    row('handled by a worker, nobody sending', ({ handled }) => handled),
  ]
  const note =
    `The handler reads the order and waits ${HANDLER_MS} ms. Sender, receiver and worker are a process each, ` +
    `on ${availableParallelism()} cores: on another machine they would take nothing from the receiver, whose CPU says what it could do then.`
  const bar = (what: string, of: (rates: Rates) => number, to: (rates: Rates) => number): Bar => {
    return { what: `${what}, ${KILOBYTES} KB`, figure: ratio(rounds, of, to).median, atLeast: 2 }
  }
  const drained = ({ storedBeside }: Rates) => storedBeside.perSecond
  const bars = [
    bar('acknowledged/s, a worker draining ÷ inline', drained, ({ inline }) => inline.perSecond),
    bar('acknowledged/s, a worker draining ÷ inline with a store', drained, ({ once }) => once.perSecond),
    bar(
      "deliveries for a second of the receiver's CPU, a worker draining ÷ inline",
      ({ inline }) => inline.cpu,
      ({ storedBeside }) => storedBeside.cpu,
    ),
  ]
  return { tables: [{ title, head, rows, note }], bars }
}

function ratio(rounds: readonly Rates[], of: (rates: Rates) => number, to: (rates: Rates) => number): Ratio {
  return ratioBetween(rounds.map(of), rounds.map(to))
}
