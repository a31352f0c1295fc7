import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { findSystemUser } from './postgres.ts'
import { freePorts, startProcess } from './process.ts'

const program = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  .map((folder) => join(folder, 'pgbouncer'))
  .find(existsSync)

/** Why PgBouncer cannot be started here; `undefined` if it can. */
export const noPgBouncer: string | undefined = program ? undefined : 'no pgbouncer on PATH or in /usr/sbin'

export interface PgBouncer {
  readonly url: string
  close(): Promise<void>
}

/** A PgBouncer in front of a database. It gives each transaction any of its few connections. */
export async function startPgBouncer(database: string): Promise<PgBouncer> {
  if (!program) throw new Error(`PgBouncer is not available: ${noPgBouncer}.`)
  const { hostname, port: serverPort, username, pathname } = new URL(database)
  const [port = 0] = await freePorts(1)
  const cwd = mkdtempSync(join(tmpdir(), 'hooklayer-pgbouncer-'))
  const name = pathname.slice(1)
  const settings = [
    '[databases]',
    `${name} = host=${hostname} port=${serverPort} dbname=${name} user=${username}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'auth_type = any',
    'pool_mode = transaction',
    'default_pool_size = 3',
    'unix_socket_dir =',
  ]
  const file = join(cwd, 'pgbouncer.ini')
  writeFileSync(file, settings.join('\n'))
  const server = await startProcess({
    command: program,
    args: [file],
    sign: /process up/,
    options: { ...findSystemUser(cwd), cwd },
  })
  return { url: `postgres://${username}@127.0.0.1:${port}/${name}`, close: server.end }
}
