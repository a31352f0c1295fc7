// All inboxes and stores; `bundlers.test.ts` bundles it where only one driver is installed.
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { createPostgresStore } from 'hooklayer/stores/postgres'
import { createRedisStore } from 'hooklayer/stores/redis'
import { createSqliteStore } from 'hooklayer/stores/sqlite'

const NOWHERE = '127.0.0.1:1'

async function tryBullmq(options) {
  const inbox = createBullmqInbox(options)
  try {
    await inbox.statistics()
    return 'answered'
  } catch (error) {
    return [error.message, error.cause?.message].join(' | ')
  } finally {
    await inbox.close().catch(() => {})
  }
}

function trySqlite() {
  try {
    for (const { close } of [createSqliteStore({ file: 's.sqlite' }), createSqliteInbox({ file: 'i.sqlite' })]) close()
    return 'opened'
  } catch (error) {
    return [error.message, error.cause?.message].join(' | ')
  }
}

async function main() {
  const report = {
    redis: await tryBullmq({ redis: `redis://${NOWHERE}` }),
    postgres: await tryBullmq({ postgres: `postgres://${NOWHERE}/shop` }),
    sqlite: trySqlite(),
    others: [createMemoryInbox, createMemoryStore, createPostgresStore, createRedisStore].length,
  }
  console.log(JSON.stringify(report))
  process.exit()
}

main()
