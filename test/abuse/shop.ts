import { fork } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import type { ReceiverOptions } from '../../src/index.ts'

export const HOSTS = ['node', 'http2', 'express', 'koa', 'fastify', 'fetch'] as const
export type HostName = (typeof HOSTS)[number]

export interface ShopOptions {
  readonly receiver?: Partial<ReceiverOptions>
}

/** What a test asks of the process of a shop. */
export interface Question {
  readonly ask: 'handled' | 'memory' | 'handle-stored'
  readonly count?: number
}

export interface Shop {
  readonly url: string
  readonly isHttp2: boolean
  ask(question: Question): Promise<number>
  /** The lines that it has printed. */
  lines(): string[]
}

/** Starts a shop in a process of its own, and ends it with the test. */
export async function startShop(host: HostName, options: ShopOptions = {}): Promise<Shop> {
  const program = new URL('./program.ts', import.meta.url).pathname
  const child = fork(program, [host, JSON.stringify(options)], {
    execArgv: ['--import', 'tsx', '--expose-gc'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const ready = once(child, 'message')
  await Promise.race([ready, ended.then(() => Promise.reject(new Error(`The shop ended. Its output:\n${output}`)))])
  const [{ port }] = (await ready) as [{ port: number }]
  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    isHttp2: host === 'http2',
    async ask(question) {
      const reply = once(child, 'message')
      child.send(question)
      const [{ answer }] = (await reply) as [{ answer: number }]
      return answer
    },
    lines: () => output.split('\n').filter((line) => line.trim() !== ''),
  }
}
