import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import autocannon from 'autocannon'
import { KEEPS_MEMORY } from '../children.ts'
import { githubHeaders, signedHeaders } from '../signed.ts'
import type { Answer, Framework, Question, Usage } from './child.ts'
import { type Kind, PATH } from './contestant.ts'

export const CONNECTIONS = 32

/** The result of one run of load. */
export interface Run {
  readonly deliveries: number
  readonly perSecond: number
  /** In milliseconds. */
  readonly latencies: readonly number[]
}

/**
 * The size that V8's young generation reaches after a while: it grows with the objects that survive. Before that, a
 * process that happens to keep fewer objects has a smaller one, which fits the processor's cache. That is not so in a
 * long-running server.
 */
const FULL_GROWN = '--min-semi-space-size=16'

/** A server in a process of its own. */
export interface Server {
  readonly kind: Kind
  /** @throws if a single delivery was not answered 2xx. */
  load(deliveries: number): Promise<Run>
  usage(): Promise<Usage>
  stop(): void
}

/** @throws if it refuses the body that is signed for it, or takes it with another byte in it. */
export async function startServer(framework: Framework, kind: Kind, body: Buffer): Promise<Server> {
  const path = fileURLToPath(new URL('./child.ts', import.meta.url))
  const execArgv = [...process.execArgv, FULL_GROWN]
  const child = fork(path, [framework, kind], { execArgv, env: { ...process.env, ...KEEPS_MEMORY } })
  pin(child.pid, '0')
  child.once('exit', (code) => {
    if (code !== 0) throw new Error(`${framework}, ${kind}: the server ended with ${code}.`)
  })
  const answer = await nextAnswer(child)
  if (!('port' in answer)) throw new Error(`${framework}, ${kind}: the server did not say where it listens.`)
  const url = `http://127.0.0.1:${answer.port}${PATH}`
  const { 'content-length': _, ...headers } = kind === 'octokit' ? githubHeaders(body) : signedHeaders(body)
  const server: Server = {
    kind,
    load: (deliveries) => load(url, headers, body, deliveries),
    async usage() {
      ask(child, 'usage')
      const usage = await nextAnswer(child)
      if (!('cpuMicroseconds' in usage)) throw new Error(`${framework}, ${kind}: the server did not say what it used.`)
      return usage
    },
    stop: () => ask(child, 'end'),
  }
  await proveThatItVerifies(url, headers, body, `${framework}, ${kind}`)
  return server
}

async function load(url: string, headers: Record<string, string>, body: Buffer, amount: number): Promise<Run> {
  const options = { url, method: 'POST', headers, body, connections: CONNECTIONS, amount, sampleInt: 10 } as const
  const connected = new Set<unknown>()
  const latencies: number[] = []
  let last = 0
  const first = performance.now()
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const run = autocannon(options, (error, end) => (error ? reject(error) : resolve(end)))
    run.on('response', (client, _status, _bytes, ms) => {
      last = performance.now()
      // The first request of a connection waits until the connection is open.
      if (connected.has(client)) latencies.push(ms)
      else connected.add(client)
    })
  })
  if (result['2xx'] !== amount || result.errors > 0) {
    throw new Error(`${result.non2xx} of ${amount} deliveries were refused, ${result.errors} failed.`)
  }
  return { deliveries: amount, perSecond: (amount * 1000) / (last - first), latencies }
}

/** Binds a process to a processor, where that is possible: otherwise sender and servers compete for both. */
export function pin(pid: number | undefined, processors: string): void {
  spawnSync('taskset', ['--all-tasks', '--pid', '--cpu-list', processors, String(pid)])
}

async function proveThatItVerifies(url: string, headers: Record<string, string>, body: Buffer, name: string) {
  const changed = Buffer.from(body)
  changed.write('5', body.indexOf('"number":"4') + '"number":"'.length)
  const accepts = async (sent: Buffer) => (await fetch(url, { method: 'POST', headers, body: new Uint8Array(sent) })).ok
  if (!(await accepts(body))) throw new Error(`${name} refuses a body that was signed for it.`)
  if (await accepts(changed)) throw new Error(`${name} accepts a body with another byte in it.`)
}

function ask(child: ChildProcess, question: Question): void {
  child.send(question)
}

async function nextAnswer(child: ChildProcess): Promise<Answer> {
  const [answer] = await once(child, 'message')
  return answer
}
