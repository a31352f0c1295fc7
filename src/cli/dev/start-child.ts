import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import type { Writable } from 'node:stream'
import { CliError } from '../cli-error.ts'

/** A program that a command has started, with all that this starts. */
export interface Child {
  /** Its exit code once it has ended; 128 and the number of the signal that ended it, as a shell says it. */
  readonly ended: Promise<number>
  /** Ends it and its own children, by SIGTERM and at last by SIGKILL. They may have outlived it. */
  stop(): Promise<void>
}

/** How long a program may clean up. A stopped command itself has two seconds. */
const GRACE_MS = 1500
const POLL_MS = 25

/** The program starts when the guard knows it: this process may be killed at any moment. */
const START = 'read -r go <&3 && exec 3<&- && exec "$@"'

/**
 * Starts a program in a process group of its own, so that `npm run dev` ends with the server that it starts. It reads
 * nothing from the terminal, which is the command's. Its output goes to stderr where stdout is for objects.
 */
export async function startChild(
  program: readonly string[],
  { env, json }: { readonly env: NodeJS.ProcessEnv; readonly json: boolean },
): Promise<Child> {
  if (process.platform === 'win32') {
    throw new CliError('USAGE', 'Programs cannot be started on Windows: start the receiver yourself, or use WSL.')
  }
  const guard = startGuard()
  const stdio = ['ignore', json ? 2 : 'inherit', 'inherit', 'pipe'] as const
  const child = spawn('sh', ['-c', START, 'sh', ...program], { env, detached: true, stdio: [...stdio] })
  await once(child, 'spawn')
  const group = Number(child.pid)
  guard.stdin?.write(`${group}\n`)
  const go = child.stdio[3] as Writable
  go.on('error', () => {})
  go.end('go\n')
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const ended = exited.then(([code, signal]) => code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
  return {
    ended,
    async stop() {
      await endGroup(group)
      await endGuard(guard)
    },
  }
}

async function endGroup(group: number): Promise<void> {
  signalGroup(group, 'SIGTERM')
  const deadline = performance.now() + GRACE_MS
  while (signalGroup(group, 0) && performance.now() < deadline) await wait(POLL_MS)
  signalGroup(group, 'SIGKILL')
}

/** Whether there is a process in the group. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal)
  } catch {
    return false
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/**
 * Reads the group and a second line. Without the second, its stdin has ended because this process is gone, also by
 * SIGKILL: then it ends the group.
 */
const GUARD = `read -r group || exit
read -r done && exit
kill -TERM -"$group"
sleep 1
kill -KILL -"$group"`

function startGuard(): ChildProcess {
  const guard = spawn('sh', ['-c', GUARD], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  guard.on('error', () => {}) // Without a shell only SIGKILL leaves something behind.
  guard.stdin?.on('error', () => {})
  return guard
}

async function endGuard(guard: ChildProcess): Promise<void> {
  if (guard.exitCode !== null || guard.pid === undefined) return
  const exited = once(guard, 'exit')
  guard.stdin?.end('done\n')
  await exited
}
