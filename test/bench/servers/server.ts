import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import autocannon from 'autocannon'
import { githubHeaders, signedHeaders } from '../signed.ts'
import type { Answer, Framework, Question, Usage } from './child.ts'
import { type Kind, PATH } from './contestant.ts'

export const CONNECTIONS = 32

/** What one run of load showed. */
export interface Run {
  readonly deliveries: number
  readonly perSecond: number
  readonly p99: number
}

/** A server in a process of its own. */
export interface Server {
  readonly kind: Kind
  /** @throws if a single delivery was not answered 2xx. */
  load(seconds: number): Promise<Run>
  usage(): Promise<Usage>
  stop(): void
}

/** @throws if it refuses the body that is signed for it, or takes it with another byte in it. */
export async function startServer(framework: Framework, kind: Kind, body: Buffer): Promise<Server> {
  const child = fork(fileURLToPath(new URL('./child.ts', import.meta.url)), [framework, kind])
  child.once('exit', (code) => {
    if (code !== 0) throw new Error(`${framework}, ${kind}: the server ended with ${code}.`)
  })
  const answer = await nextAnswer(child)
  if (!('port' in answer)) throw new Error(`${framework}, ${kind}: the server did not say where it listens.`)
  const url = `http://127.0.0.1:${answer.port}${PATH}`
  const { 'content-length': _, ...headers } = kind === 'octokit' ? githubHeaders(body) : signedHeaders(body)
  const server: Server = {
    kind,
    load: (seconds) => load(url, headers, body, seconds),
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

async function load(url: string, headers: Record<string, string>, body: Buffer, duration: number): Promise<Run> {
  // It looks every 50 ms whether it is time to stop: by default a run would end with a full second, often the next one.
  const options = { url, method: 'POST', headers, body, connections: CONNECTIONS, duration, sampleInt: 50 } as const
  const result = await autocannon(options)
  const answered = result['2xx'] + result.non2xx
  if (answered === 0 || result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${result.non2xx} of ${answered} deliveries were refused, ${result.errors} failed.`)
  }
  return { deliveries: answered, perSecond: answered / result.duration, p99: result.latency.p99 }
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
