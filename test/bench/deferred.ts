import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { type Child, startChild } from './children.ts'
import type { DeferredAnswer, DeferredQuestion, DeferredTask } from './deferred-receiver.ts'
import { createBodies, type SignedRequest, signed } from './fresh-deliveries.ts'
import { PACE } from './pace.ts'
import { asCell, type Findings } from './report.ts'
import { quantile, type Ratio, ratioBetween } from './rounds.ts'

const KILOBYTES = 200
const CONNECTIONS = 32
/** Somebody else's API, and a quick one. */
const HANDLER_MS = 5
const WARM_UP_ROUNDS = 1

/** Deliveries a second, of one round. */
interface Rates {
  readonly inline: number
  /** The same with a store, so that each event is handled once, as an inbox has it. */
  readonly once: number
  /** While no worker runs. */
  readonly stored: number
  /** While a worker runs that has enough to do, and what it does meanwhile. */
  readonly storedBeside: number
  readonly handledBeside: number
  /** By that worker, when nothing comes any more. */
  readonly handled: number
}

/** Receiving with an inbox against handling before the answer, over HTTP, each in a process of its own. */
export async function benchDeferring(progress: (message: string) => void): Promise<Findings> {
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-bench-'))
  const task = { file: join(folder, 'inbox.sqlite'), handlerMs: HANDLER_MS }
  const start = (role: DeferredTask['role']) =>
    startChild<DeferredQuestion, DeferredAnswer>('./deferred-receiver.ts', { ...task, role })
  const [inline, once, storing, worker] = [start('inline'), start('once'), start('storing'), start('worker')] as const
  const stage: Stage = {
    inline: await urlOf(inline),
    once: await urlOf(once),
    storing: await urlOf(storing),
    worker,
    nextBody: createBodies(KILOBYTES),
  }
  const rounds: Rates[] = []
  for (let round = 0; round < WARM_UP_ROUNDS + PACE.deferred.rounds; round++) {
    progress(`deferring, round ${round}`)
    rounds.push(await playRound(stage))
  }
  await Promise.all([inline, once, storing, worker].map((child) => child.end()))
  rmSync(folder, { recursive: true })
  return findingsOf(rounds.slice(WARM_UP_ROUNDS))
}

type DeferredChild = Child<DeferredQuestion, DeferredAnswer>

async function urlOf(child: DeferredChild): Promise<string> {
  return `http://127.0.0.1:${await child.ask('listen')}/`
}

interface Stage {
  readonly inline: string
  readonly once: string
  readonly storing: string
  readonly worker: DeferredChild
  readonly nextBody: () => Buffer
}

/** What is stored while no worker runs is what one has to do while more is stored. */
async function playRound({ inline, once, storing, worker, nextBody }: Stage): Promise<Rates> {
  const count = PACE.deferred.deliveries
  const fresh = () => Array.from({ length: count }, () => signed(nextBody()))
  const inlineMs = await load(inline, fresh(), 200)
  const onceMs = await load(once, fresh(), 200)
  const storedMs = await load(storing, fresh(), 202)
  const more = fresh()
  await worker.ask('work')
  const besideMs = await load(storing, more, 202)
  const handled = await worker.ask({ handled: 0 })
  const begin = performance.now()
  await worker.ask({ handled: 2 * count })
  const restMs = performance.now() - begin
  await worker.ask('stop')
  return {
    inline: (count * 1000) / inlineMs,
    once: (count * 1000) / onceMs,
    stored: (count * 1000) / storedMs,
    storedBeside: (count * 1000) / besideMs,
    handledBeside: (handled * 1000) / besideMs,
    handled: ((2 * count - handled) * 1000) / restMs,
  }
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
  const of = (name: keyof Rates) => rounds.map((rates) => rates[name])
  const ratio = (name: keyof Rates): Ratio => ratioBetween(of(name), of('inline'))
  const row = (what: string, name: keyof Rates) => [what, quantile(of(name), 0.5).toFixed(0), asCell(ratio(name))]
  const title = `${KILOBYTES} KB over HTTP, ${CONNECTIONS} connections: deliveries a second (p10–p90)`
  const head = ['', 'a second', '÷ inline']
  const rows = [
    row('handled inline, before the answer', 'inline'),
    row('the same, each event once by a SQLite store', 'once'),
    row('acknowledged, SQLite inbox, a worker draining', 'storedBeside'),
    row('handled by that worker meanwhile', 'handledBeside'),
    row('acknowledged, SQLite inbox, nobody draining', 'stored'),
    row('handled by a worker, nobody sending', 'handled'),
  ]
  const note =
    `The handler reads the order and waits ${HANDLER_MS} ms. Sender, receiver and worker are a process each, ` +
    `on ${availableParallelism()} cores: on another machine a worker would take nothing from the receiver.`
  const bars = [
    { what: 'acknowledged/s, a worker draining ÷ inline, 200 KB', figure: ratio('storedBeside').median, atLeast: 2 },
    {
      what: 'acknowledged/s, a worker draining ÷ inline with a store, 200 KB',
      figure: ratioBetween(of('storedBeside'), of('once')).median,
      atLeast: 2,
    },
  ]
  return { tables: [{ title, head, rows, note }], bars }
}
