import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { CliError } from './cli-error.ts'

/** A program that a command has started, with all that this starts. */
export interface Child {
  /** Its exit code once it has ended; 128 and the number of the signal that ended it, as a shell says it. */
  readonly ended: Promise<number>
  /** Ends it and its own children, by SIGTERM and at last by SIGKILL. They may have outlived it. */
  stop(): Promise<void>
}

/** How long a program may clean up. A stopped command itself has two seconds. */
const GRACE_MS = 1500
const LOOK_MS = 25

/**
 * Starts a program in a process group of its own, so that `npm run dev` ends with the server that it starts. It reads
 * nothing from the terminal, which is the command's. Its output goes to stderr where stdout is for objects.
 */
export async function startChild(
  [program = '', ...args]: readonly string[],
  { env, json }: { readonly env: NodeJS.ProcessEnv; readonly json: boolean },
): Promise<Child> {
  if (process.platform === 'win32') {
    throw new CliError('USAGE', 'Programs cannot be started on Windows: start the receiver yourself, or use WSL.')
  }
  const child = spawn(program, args, { env, detached: true, stdio: ['ignore', json ? 2 : 'inherit', 'inherit'] })
  await once(child, 'spawn').catch((cause) => {
    throw new CliError('USAGE', `${program} cannot be started: is it installed?`, { cause })
  })
  const group = Number(child.pid)
  const guard = startGuard(group)
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
  while (signalGroup(group, 0) && performance.now() < deadline) await wait(LOOK_MS)
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

/** Ends the group when this process is gone, also by SIGKILL: its stdin is at its end then. */
const GUARD = 'read -r done && exit; kill -TERM -"$0"; sleep 1; kill -KILL -"$0"'

function startGuard(group: number): ChildProcess {
  const guard = spawn('sh', ['-c', GUARD, String(group)], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
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
