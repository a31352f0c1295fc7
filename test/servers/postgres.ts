import { execFile, execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts, startProcess } from './process.ts'

export interface PostgresServer {
  readonly url: string
  close(): Promise<void>
}

const INSTALLED = '/usr/lib/postgresql'
const programs = process.env.DATABASE_URL ? undefined : findPrograms()

/** Why there is no PostgreSQL to test with; `undefined` if there is one. */
export const noPostgres: string | undefined =
  process.env.DATABASE_URL || programs
    ? undefined
    : `no DATABASE_URL, and no postgres and initdb on PATH or under ${INSTALLED}`

/** The database of `DATABASE_URL`, which may hold other data, or a new one on a free port, gone when it is closed. */
export async function startPostgres(): Promise<PostgresServer> {
  if (process.env.DATABASE_URL) return { url: process.env.DATABASE_URL, close: async () => {} }
  if (!programs) throw new Error(`There is no PostgreSQL: ${noPostgres}.`)
  const user = systemUser()
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-postgres-'))
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const init = ['-D', data, '-U', 'hooklayer', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  await promisify(execFile)(join(programs, 'initdb'), init, { ...user, cwd: folder })
  const [port = 0] = await freePorts(1)
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, 'fsync=off']
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]
  const ready = /ready to accept connections/
  const server = await startProcess(join(programs, 'postgres'), args, ready, { ...user, cwd: folder })
  return { url: `postgres://hooklayer@127.0.0.1:${port}/postgres`, close: server.end }
}

/** PostgreSQL refuses to run as root. */
function systemUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, name], { stdio: 'pipe' })))
      return { uid: Number(uid), gid: Number(gid) }
    } catch {
      // There is no such user.
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
