import { type ChildProcess, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPostgresProgram, formatUrl } from './postgres.ts'
import { freePorts, run, type ServerProgram } from './process.ts'
import { createRedisProgram } from './redis.ts'

/** A server with its data on disk that can be killed and started again. */
export interface Crashable {
  readonly url: string
  start(): Promise<void>
  /** Sends SIGKILL to all its processes. */
  kill(): Promise<void>
  /** Sends SIGTERM, and SIGINT a second later, because PostgreSQL waits for its clients until then. */
  terminate(): Promise<void>
  /** Freezes all its processes with SIGSTOP: connections stay open without an answer. */
  pause(): void
  resume(): void
  remove(): Promise<void>
}

/** A Redis that writes to the disk before it acknowledges. */
export async function createCrashableRedis(...settings: readonly string[]): Promise<Crashable> {
  const [port = 0] = await freePorts(1)
  const program = createRedisProgram(port, '--appendonly', 'yes', '--appendfsync', 'always', ...settings)
  return createCrashable(`redis://127.0.0.1:${port}`, program)
}

/** A PostgreSQL that writes to the disk before it acknowledges. */
export async function createCrashablePostgres(): Promise<Crashable> {
  const [port = 0] = await freePorts(1)
  return createCrashable(formatUrl(port), await createPostgresProgram(port))
}

function createCrashable(url: string, program: ServerProgram): Crashable {
  let child: ChildProcess | undefined

  function signal(name: NodeJS.Signals): void {
    if (!child?.pid || hasEnded(child)) return
    for (const pid of [child.pid, ...findChildren(child.pid)]) send(pid, name)
  }

  async function end(ask: (server: ChildProcess) => void): Promise<void> {
    if (!child || hasEnded(child)) return
    const ended = once(child, 'exit')
    ask(child)
    await ended
  }

  /** Killed processes of PostgreSQL exist for a moment longer, and it does not start beside them. */
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
      // A stopped process starts no new ones.
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

/** The processes of PostgreSQL are not in one process group. */
function findChildren(pid: number): number[] {
  const { stdout } = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
  return stdout.split('\n').filter(Boolean).map(Number)
}

function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has already ended.
  }
}
