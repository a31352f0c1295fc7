import { type ChildProcess, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { postgresOn, urlOn } from './postgres.ts'
import { freePorts, run, type ServerProgram } from './process.ts'
import { redisOn } from './redis.ts'

/** A server that keeps its data on disk, to be ended and started anew at the same place. */
export interface Crashable {
  readonly url: string
  start(): Promise<void>
  /** SIGKILL to all its processes: it has no time to say good-bye. */
  kill(): Promise<void>
  /** As its operators end it: SIGTERM, and SIGINT a second later, for until then PostgreSQL waits for its clients to leave. */
  terminate(): Promise<void>
  /** SIGSTOP and SIGCONT to all its processes: connections stay open, and nobody answers. */
  pause(): void
  resume(): void
  remove(): Promise<void>
}

/** A Redis that has written to the disk what it acknowledges. */
export async function createCrashableRedis(...settings: readonly string[]): Promise<Crashable> {
  const [port = 0] = await freePorts(1)
  const program = redisOn(port, '--appendonly', 'yes', '--appendfsync', 'always', ...settings)
  return crashable(`redis://127.0.0.1:${port}`, program)
}

/** A PostgreSQL that has written to the disk what it acknowledges. */
export async function createCrashablePostgres(): Promise<Crashable> {
  const [port = 0] = await freePorts(1)
  return crashable(urlOn(port), await postgresOn(port))
}

function crashable(url: string, program: ServerProgram): Crashable {
  let child: ChildProcess | undefined

  function signal(name: NodeJS.Signals): void {
    if (!child?.pid || hasEnded(child)) return
    for (const pid of [child.pid, ...childrenOf(child.pid)]) send(pid, name)
  }

  async function end(ask: (server: ChildProcess) => void): Promise<void> {
    if (!child || hasEnded(child)) return
    const ended = once(child, 'exit')
    ask(child)
    await ended
  }

  /** Processes of PostgreSQL that were killed are there for a moment, and it does not start beside them. */
  async function start(triesLeft = 20): Promise<void> {
    try {
      child = await run(program)
    } catch (error) {
      if (triesLeft === 0) throw error
      await sleep(100)
      await start(triesLeft - 1)
    }
  }

  const kill = () =>
    end(() => {
      // What stands still makes no new processes.
      signal('SIGSTOP')
      signal('SIGKILL')
    })

  return {
    url,
    start: () => start(),
    kill,
    terminate: () =>
      end((server) => {
        server.kill('SIGTERM')
        const timer = setTimeout(() => server.kill('SIGINT'), 1000)
        server.once('exit', () => clearTimeout(timer))
      }),
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    async remove() {
      await kill()
      rmSync(program.options.cwd, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

/** The processes of PostgreSQL are no group: each leads one of its own. */
function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
  return stdout.split('\n').filter(Boolean).map(Number)
}

function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended in the meantime.
  }
}
