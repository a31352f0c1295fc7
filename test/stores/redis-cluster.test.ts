import { randomUUID } from 'node:crypto'
import { createRedisStore, type RedisStoreOptions } from 'hooklayer/stores/redis'
import { Cluster } from 'ioredis'
import { createCluster } from 'redis'
import { afterAll, beforeAll, it } from 'vitest'
import { type StorePlace, testStore } from '../../src/contracts/store/store.ts'
import { noRedisCluster, type RedisCluster, startRedisCluster } from '../servers/redis.ts'

type Nodes = RedisCluster['nodes']

let cluster: RedisCluster | undefined
beforeAll(async () => {
  if (!noRedisCluster) cluster = await startRedisCluster()
}, 60_000)
afterAll(() => cluster?.close())

interface Opened {
  readonly client: RedisStoreOptions['client']
  close(): unknown
}

async function openNodeRedis(nodes: Nodes): Promise<Opened> {
  const client = createCluster({ rootNodes: nodes.map(({ host, port }) => ({ url: `redis://${host}:${port}` })) })
  await client.connect()
  return { client, close: () => client.close() }
}

async function openIoRedis(nodes: Nodes): Promise<Opened> {
  const client = new Cluster([...nodes])
  return { client, close: () => client.quit() }
}

function sceneWith(open: (nodes: Nodes) => Promise<Opened>): () => Promise<StorePlace> {
  return async () => {
    const prefix = `hooklayer:${randomUUID()}:`
    const opened: Opened[] = []
    return {
      async open() {
        const one = await open(cluster?.nodes ?? [])
        opened.push(one)
        return createRedisStore({ client: one.client, prefix })
      },
      async close() {
        await Promise.all(opened.map((one) => one.close()))
      },
    }
  }
}

if (!noRedisCluster) {
  testStore('the store in a cluster of Redis by node-redis', sceneWith(openNodeRedis))
  testStore('the store in a cluster of Redis by ioredis', sceneWith(openIoRedis))
} else it.skip(`A cluster of Redis is not tested: ${noRedisCluster}`)
