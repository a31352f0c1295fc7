import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { programOf } from './build.ts'
import type { Settings } from './shop/settings.ts'

/** A process of a shop, which may end at any time. */
export interface ShopProcess {
  readonly pid: number
  /** The port; `undefined` if it does not listen, or has ended before. */
  readonly port: number | undefined
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  hasEnded(): boolean
  /** Sends SIGKILL. */
  kill(): Promise<void>
  /** Sends SIGTERM, and SIGKILL after the time-out. Resolves with {@link ended} and how long it took. */
  terminate(timeoutMs?: number): Promise<{ readonly code: number | NodeJS.Signals; readonly ms: number }>
  /** Freezes the process with SIGSTOP. Its connections stay open. */
  pause(): void
  resume(): void
  /** The memory in use after garbage collection, in bytes. */
  memory(): Promise<number>
  /** The end of its console output. */
  output(): string
}

const KEPT_CHARACTERS = 20_000
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** The shop of version 0.1. */
export const FORMER_PROGRAM = new URL('./former/shop.mjs', import.meta.url).pathname

/** Starts a process. Resolves when it listens and works, or has ended. */
export async function startShop(settings: Settings, program = programOf('shop')): Promise<ShopProcess> {
  const child = fork(program, [JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: ['--expose-gc'],
  })
  running.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-KEPT_CHARACTERS)
    })
  }
  const ended = once(child, 'exit').then(([code, signal]) => {
    running.delete(child)
    return (code ?? signal) as number | NodeJS.Signals
  })
  const ready = once(child, 'message').then(([message]) => message as { readonly port?: number })
  const first = await Promise.race([ready, ended.then(() => undefined)])
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  return {
    pid: Number(child.pid),
    port: first?.port,
    ended,
    hasEnded,
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    async terminate(timeoutMs = 20_000) {
      const since = performance.now()
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
      const code = await ended
      clearTimeout(timer)
      return { code, ms: performance.now() - since }
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async memory() {
      const reply = once(child, 'message')
      child.send('memory')
      const [{ bytes }] = (await reply) as [{ readonly bytes: number }]
      return bytes
    },
    output: () => output,
  }
}

/** Kills all processes that a failed test has left. */
export async function killAll(): Promise<void> {
  const all = [...running].map((child) => {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    return ended
  })
  await Promise.all(all)
}
