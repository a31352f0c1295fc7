import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePorts, type ServerProgram, startProcess } from './process.ts'

export interface RedisServer {
  readonly url: string
  close(): Promise<void>
}

export interface RedisCluster {
  readonly nodes: readonly { readonly host: string; readonly port: number }[]
  close(): Promise<void>
}

/** Why Redis cannot be started here; `undefined` if it can. */
export const noRedisProgram: string | undefined = isProgram('redis-server') ? undefined : 'no redis-server on PATH'

/** Why no Redis is available for tests; `undefined` if one is. */
export const noRedis: string | undefined =
  process.env.REDIS_URL || !noRedisProgram ? undefined : `no REDIS_URL, and ${noRedisProgram}`

/** Why no Redis Cluster is available for tests; `undefined` if one is. */
export const noRedisCluster: string | undefined =
  noRedisProgram ?? (isProgram('redis-cli') ? undefined : 'no redis-cli on PATH')

export interface RedisOptions {
  /** When the append-only file waits for the disk. Default: no such file. `REDIS_URL` is not used with this option. */
  readonly appendfsync?: 'everysec' | 'always'
}

/** The Redis of `REDIS_URL`, which may hold other data, or a new one without persistence on a free port. */
export async function startRedis({ appendfsync }: RedisOptions = {}): Promise<RedisServer> {
  if (process.env.REDIS_URL && !appendfsync) return { url: process.env.REDIS_URL, close: async () => {} }
  const [port = 0] = await freePorts(1)
  const settings = appendfsync ? ['--appendonly', 'yes', '--appendfsync', appendfsync] : []
  const server = await startProcess(createRedisProgram(port, ...settings))
  return { url: `redis://127.0.0.1:${port}`, close: server.end }
}

/** A cluster of three masters. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const ports = await freePorts(6)
  const nodes = ports.slice(0, 3).map((port) => ({ host: '127.0.0.1', port }))
  const servers = await Promise.all(
    nodes.map(({ port }, at) =>
      startProcess(createRedisProgram(port, '--cluster-enabled', 'yes', '--cluster-port', String(ports[at + 3]))),
    ),
  )
  const close = async () => void (await Promise.all(servers.map((server) => server.end())))
  try {
    const addresses = nodes.map(({ host, port }) => `${host}:${port}`)
    await redisCli('--cluster', 'create', ...addresses, '--cluster-yes')
    await Promise.all(nodes.map(({ port }) => waitUntilClusterIsUp(port)))
    return { nodes, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** `create` ends when the slots are assigned. A node still answers `CLUSTERDOWN` until it knows the others. */
async function waitUntilClusterIsUp(port: number): Promise<void> {
  for (const deadline = Date.now() + 30_000; ; await setTimeout(50)) {
    const info = await redisCli('-p', String(port), 'cluster', 'info')
    if (info.includes('cluster_state:ok')) return
    if (Date.now() > deadline) throw new Error(`A node of the Redis cluster does not start:\n${info}`)
  }
}

async function redisCli(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)('redis-cli', args)).stdout
}

/** How to start a Redis in a new folder, without persistence by default. */
export function createRedisProgram(port: number, ...settings: readonly string[]): ServerProgram {
  const cwd = mkdtempSync(join(tmpdir(), 'hooklayer-redis-'))
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...settings]
  return { command: 'redis-server', args, sign: /Ready to accept connections/, options: { cwd } }
}

function isProgram(name: string): boolean {
  return spawnSync(name, ['--version']).status === 0
}
