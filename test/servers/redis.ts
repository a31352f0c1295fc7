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

/** Why no Redis of our own can be started; `undefined` if one can. */
export const noRedisProgram: string | undefined = isProgram('redis-server') ? undefined : 'no redis-server on PATH'

/** Why there is no Redis to test with; `undefined` if there is one. */
export const noRedis: string | undefined =
  process.env.REDIS_URL || !noRedisProgram ? undefined : `no REDIS_URL, and ${noRedisProgram}`

/** Why there is no cluster to test with; `undefined` if there is one. */
export const noRedisCluster: string | undefined =
  noRedisProgram ?? (isProgram('redis-cli') ? undefined : 'no redis-cli on PATH')

export interface RedisOptions {
  /** Keeps an append-only file, and when that waits for the disk. What `REDIS_URL` does is not asked then. */
  readonly appendfsync?: 'everysec' | 'always'
}

/** The Redis of `REDIS_URL`, which may hold other data, or one that remembers nothing on a free port. */
export async function startRedis({ appendfsync }: RedisOptions = {}): Promise<RedisServer> {
  if (process.env.REDIS_URL && !appendfsync) return { url: process.env.REDIS_URL, close: async () => {} }
  const [port = 0] = await freePorts(1)
  const settings = appendfsync ? ['--appendonly', 'yes', '--appendfsync', appendfsync] : []
  const server = await startProcess(redisOn(port, ...settings))
  return { url: `redis://127.0.0.1:${port}`, close: server.end }
}

/** Three masters, which share the slots. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const ports = await freePorts(6)
  const nodes = ports.slice(0, 3).map((port) => ({ host: '127.0.0.1', port }))
  const servers = await Promise.all(
    nodes.map(({ port }, at) =>
      startProcess(redisOn(port, '--cluster-enabled', 'yes', '--cluster-port', String(ports[at + 3]))),
    ),
  )
  const close = async () => void (await Promise.all(servers.map((server) => server.end())))
  try {
    const addresses = nodes.map(({ host, port }) => `${host}:${port}`)
    await redisCli('--cluster', 'create', ...addresses, '--cluster-yes')
    await Promise.all(nodes.map(({ port }) => untilClusterIsUp(port)))
    return { nodes, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** `create` ends when the slots are given out. Until a node has heard of the others it answers `CLUSTERDOWN` all the same. */
async function untilClusterIsUp(port: number): Promise<void> {
  for (const deadline = Date.now() + 30_000; ; await setTimeout(50)) {
    const info = await redisCli('-p', String(port), 'cluster', 'info')
    if (info.includes('cluster_state:ok')) return
    if (Date.now() > deadline) throw new Error(`A node of the cluster of Redis does not come up:\n${info}`)
  }
}

async function redisCli(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)('redis-cli', args)).stdout
}

/** A Redis in a new folder, which remembers nothing unless it is told to. */
export function redisOn(port: number, ...settings: readonly string[]): ServerProgram {
  const cwd = mkdtempSync(join(tmpdir(), 'hooklayer-redis-'))
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...settings]
  return { command: 'redis-server', args, sign: /Ready to accept connections/, options: { cwd } }
}

function isProgram(name: string): boolean {
  return spawnSync(name, ['--version']).status === 0
}
