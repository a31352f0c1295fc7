import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, vi } from 'vitest'

/** What the process does. */
export type Role = 'put' | 'put-and-die' | 'work' | 'hang' | 'work-once' | 'deadly' | 'crash'

export interface Child {
  /** What it has reported, in order. */
  readonly messages: string[]
  waitForMessage(what: string): Promise<void>
  kill(): Promise<void>
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<unknown>
}

/** Another process with an inbox on the same file. */
export function startProcess(role: Role, file: string, ...rest: string[]): Child {
  const script = new URL('child.ts', import.meta.url).pathname
  const child = fork(script, [role, file, ...rest], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const messages: string[] = []
  child.on('message', (message) => messages.push(String(message)))
  const ended = once(child, 'exit').then(([code, signal]) => code ?? signal)
  onTestFinished(() => kill(child, ended))
  return {
    messages,
    ended,
    waitForMessage: (what) => vi.waitFor(() => expect(messages).toContain(what), { timeout: 20_000, interval: 5 }),
    kill: () => kill(child, ended),
  }
}

async function kill(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL')
  await ended
}
