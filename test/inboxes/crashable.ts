import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../servers/process.ts'

/** A server that keeps its data on disk, to be killed and started anew at the same place. */
export interface Crashable {
  readonly url: string
  start(): Promise<void>
  /** SIGKILL: it has no time to say good-bye. */
  kill(): Promise<void>
  remove(): Promise<void>
}

export async function createCrashableRedis(...settings: readonly string[]): Promise<Crashable> {
  const [port = 0] = await freePorts(1)
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-redis-'))
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
  const args = [...place, '--appendonly', 'yes', '--appendfsync', 'always', ...settings]
  return crashable(`redis://127.0.0.1:${port}`, folder, /Ready to accept connections/, () =>
    spawn('redis-server', args),
  )
}

export async function createCrashablePostgres(): Promise<Crashable> {
  const [port = 0] = await freePorts(1)
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-postgres-'))
  const data = join(folder, 'data')
  const user = { cwd: folder, ...(process.getuid?.() === 0 ? idsOf('postgres') : undefined) }
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
  execFileSync('initdb', ['-D', data, '-U', 'hooklayer', '-A', 'trust', '--no-sync'], { ...user, stdio: 'pipe' })
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`]
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]
  const url = `postgres://hooklayer@127.0.0.1:${port}/postgres`
  return crashable(url, folder, /ready to accept connections/, () => spawn('postgres', args, user))
}

function crashable(url: string, folder: string, ready: RegExp, run: () => ChildProcess): Crashable {
  let child: ChildProcess | undefined
  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  async function start(triesLeft = 20): Promise<void> {
    const started = run()
    child = started
    const isReady = await new Promise<boolean>((resolve, reject) => {
      const listen = (chunk: Buffer) => void (ready.test(String(chunk)) && resolve(true))
      for (const stream of [started.stdout, started.stderr]) stream?.on('data', listen)
      started.once('error', reject).once('exit', () => resolve(false))
    })
    if (isReady) return
    // The processes of PostgreSQL that are left outlive it for a moment.
    if (triesLeft === 0) throw new Error('The server does not start any more.')
    await new Promise((resolve) => setTimeout(resolve, 100))
    await start(triesLeft - 1)
  }
  return {
    url,
    start: () => start(),
    kill,
    async remove() {
      await kill()
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

/** PostgreSQL refuses to run as root. */
function idsOf(user: string): { readonly uid: number; readonly gid: number } {
  const [uid = 0, gid = 0] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, user])))
  return { uid, gid }
}
