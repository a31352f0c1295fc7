import { execFile, execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts, type ServerProgram, startProcess } from './process.ts'

export interface PostgresServer {
  readonly url: string
  close(): Promise<void>
}

const INSTALLED = '/usr/lib/postgresql'
const programs = findPrograms()

/** Why PostgreSQL cannot be started here; `undefined` if it can. */
export const noPostgresProgram: string | undefined = programs
  ? undefined
  : `no postgres and initdb on PATH or under ${INSTALLED}`

/** Why no PostgreSQL is available for tests; `undefined` if one is. */
export const noPostgres: string | undefined =
  process.env.DATABASE_URL || programs ? undefined : `no DATABASE_URL, and ${noPostgresProgram}`

export interface PostgresOptions {
  /** Waits for the disk, as in production. `DATABASE_URL` is not used then. Default: false. */
  readonly fsync?: boolean
}

/** The database of `DATABASE_URL`, which may hold other data, or a new one that is deleted when it is closed. */
export async function startPostgres({ fsync = false }: PostgresOptions = {}): Promise<PostgresServer> {
  if (process.env.DATABASE_URL && !fsync) return { url: process.env.DATABASE_URL, close: async () => {} }
  const [port = 0] = await freePorts(1)
  const server = await startProcess(await createPostgresProgram(port, `fsync=${fsync ? 'on' : 'off'}`))
  return { url: formatUrl(port), close: server.end }
}

export function formatUrl(port: number): string {
  return `postgres://hooklayer@127.0.0.1:${port}/postgres`
}

/** How to start a PostgreSQL with a database in a new folder. */
export async function createPostgresProgram(port: number, ...settings: readonly string[]): Promise<ServerProgram> {
  if (!programs) throw new Error(`PostgreSQL is not available: ${noPostgresProgram}.`)
  const cwd = mkdtempSync(join(tmpdir(), 'hooklayer-postgres-'))
  const user = findSystemUser(cwd)
  const data = join(cwd, 'data')
  const init = ['-D', data, '-U', 'hooklayer', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  await promisify(execFile)(join(programs, 'initdb'), init, { ...user, cwd })
  const all = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${cwd}`, ...settings]
  const args = ['-D', data, ...all.flatMap((setting) => ['-c', setting])]
  return { command: join(programs, 'postgres'), args, sign: /ready to accept connections/, options: { ...user, cwd } }
}

/** Whom to run a server as that refuses to run as root. The folder is given to that user. */
export function findSystemUser(folder: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, name], { stdio: 'pipe' })))
      chownSync(folder, Number(uid), Number(gid))
      return { uid: Number(uid), gid: Number(gid) }
    } catch {
      // This user does not exist.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor nobody.')
}

function findPrograms(): string | undefined {
  const versions = existsSync(INSTALLED) ? readdirSync(INSTALLED).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...versions.map((version) => join(INSTALLED, version, 'bin')),
  ]
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))))
}
