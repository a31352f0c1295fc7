/** Hooklayer in one of its configurations: `hooklayer.js <engine> <how> <namespace> <url of the engine>`. */

import express from 'express'
import { createReceiver, createWorker, type Inbox } from 'hooklayer'
import type { IdempotencyStore } from 'hooklayer/drivers'
import { createExpressMiddleware } from 'hooklayer/express'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createPostgresStore } from 'hooklayer/stores/postgres'
import { createRedisStore } from 'hooklayer/stores/redis'
import { createSqliteStore } from 'hooklayer/stores/sqlite'
import { applyEffect, EFFECTS } from '../world.ts'
import { SECRET, serve } from './shop.ts'

const [engine = '', how = '', namespace = '', url = ''] = process.argv.slice(2)
const leaseMs = 2000

const stores: Record<string, () => Promise<IdempotencyStore>> = {
  async sqlite() {
    return createSqliteStore({ file: `${process.env.WORLD}/events.db` })
  },
  async redis() {
    const { Redis } = await import('ioredis')
    const client = new Redis(url)
    await client.ping()
    return createRedisStore({ client, prefix: `${namespace}:` })
  },
  async postgres() {
    const { default: pg } = await import('pg')
    const store = createPostgresStore({ client: new pg.Pool({ connectionString: url, max: 2 }), table: namespace })
    await store.migrate()
    return store
  },
}

const inboxes: Record<string, () => Inbox> = {
  sqlite: () => createSqliteInbox({ file: `${process.env.WORLD}/deliveries.db`, leaseMs }),
  redis: () => createBullmqInbox({ redis: url, name: namespace, leaseMs }),
  postgres: () => createBullmqInbox({ postgres: { connectionString: url, max: 4 }, name: namespace, leaseMs }),
}

const store = how === 'inbox-alone' ? undefined : await stores[engine]?.()
const inbox = how === 'inline' ? undefined : inboxes[engine]?.()
const topics = ['orders.place', 'orders.approve'] as const
const receiver = createReceiver({
  secrets: Object.fromEntries(topics.map((topic) => [topic, SECRET])),
  ...(store && { idempotency: { store, leaseMs, stale: 'skip' } }),
  ...(inbox && { inbox }),
})
for (const effect of EFFECTS) {
  receiver.on(topics, { name: effect }, ({ resource: order, id }) => applyEffect(effect, order.id, id))
}
if (inbox) createWorker({ receiver, inbox, backoffMs: 100 })
await inbox?.statistics() // waits for the connection
const app = express()
app.use('/', createExpressMiddleware(receiver))
serve(app)
