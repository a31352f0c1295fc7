import type { ExitName } from '../exit-codes.ts'

/** How long a command may clean up once it is stopped. */
const GRACE_MS = 2000

/** Why a command was stopped. */
export interface Stop {
  /** `undefined` leaves it to the command. */
  readonly exit: ExitName | undefined
  /** What to print, if anything. */
  readonly message: string | undefined
}

export interface StopWatch {
  readonly signal: AbortSignal
  /** The first reason to stop, if there was one. */
  readonly stopped: () => Stop | undefined
  /** Rejects when a command has not ended in time after it was stopped, or is interrupted once more. */
  readonly overdue: Promise<never>
}

/** Watches for Ctrl-C, SIGTERM and a stdout that nobody reads any more. */
export function watchForStop(toStop: (error: Error) => Stop): StopWatch {
  const controller = new AbortController()
  let reject: (reason: Error) => void = () => {}
  const overdue = new Promise<never>((_, settle) => {
    reject = settle
  })
  overdue.catch(() => {}) // Nobody may be waiting for it.
  let stopped: Stop | undefined
  const stop = (reason: Stop) => {
    if (stopped) return reject(new Error('Stopped twice.'))
    stopped = reason
    controller.abort()
    setTimeout(() => reject(new Error('The command did not stop in time.')), GRACE_MS)
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => stop({ exit: 'INTERRUPTED', message: 'Interrupted.' }))
  }
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // `hooklayer … | head -1`: the reader has what it wanted.
    if (error.code !== 'EPIPE') stop(toStop(error))
    else if (!stopped) stop({ exit: undefined, message: undefined })
  })
  process.stderr.on('error', () => {}) // There is nowhere left to say it.
  return { signal: controller.signal, stopped: () => stopped, overdue }
}
