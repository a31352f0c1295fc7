import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts, type ServerProcess, startProcess } from './process.ts'

export interface RedisServer {
  readonly url: string
  close(): Promise<void>
}

export interface RedisCluster {
  readonly nodes: readonly { readonly host: string; readonly port: number }[]
  close(): Promise<void>
}

/** Why there is no Redis to test with; `undefined` if there is one. */
export const noRedis: string | undefined =
  process.env.REDIS_URL || isProgram('redis-server') ? undefined : 'no REDIS_URL, and no redis-server on PATH'

/** Why there is no cluster to test with; `undefined` if there is one. */
export const noRedisCluster: string | undefined =
  isProgram('redis-server') && isProgram('redis-cli') ? undefined : 'no redis-server and redis-cli on PATH'

/** The Redis of `REDIS_URL`, which may hold other data, or one that remembers nothing on a free port. */
export async function startRedis(): Promise<RedisServer> {
  if (process.env.REDIS_URL) return { url: process.env.REDIS_URL, close: async () => {} }
  const [port = 0] = await freePorts(1)
  const server = await startNode(port, [])
  return { url: `redis://127.0.0.1:${port}`, close: server.end }
}

/** Three masters, which share the slots. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const ports = await freePorts(6)
  const nodes = ports.slice(0, 3).map((port) => ({ host: '127.0.0.1', port }))
  const servers = await Promise.all(
    nodes.map(({ port }, at) => startNode(port, ['--cluster-enabled', 'yes', '--cluster-port', String(ports[at + 3])])),
  )
  const close = async () => void (await Promise.all(servers.map((server) => server.end())))
  try {
    const addresses = nodes.map(({ host, port }) => `${host}:${port}`)
    await promisify(execFile)('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'])
    return { nodes, close }
  } catch (error) {
    await close()
    throw error
  }
}

function startNode(port: number, options: readonly string[]): Promise<ServerProcess> {
  const cwd = mkdtempSync(join(tmpdir(), 'hooklayer-redis-'))
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...options]
  return startProcess('redis-server', args, /Ready to accept connections/, { cwd })
}

function isProgram(name: string): boolean {
  return spawnSync(name, ['--version']).status === 0
}
