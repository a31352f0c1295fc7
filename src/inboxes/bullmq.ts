import { withTimeout } from '../core/deadline.ts'
import type { Inbox } from '../core/inbox/inbox.ts'
import { createConnection } from './bullmq/connection.ts'
import { openLanes } from './bullmq/lanes.ts'
import { TAKEN_AT_ONCE } from './bullmq/leases.ts'
import { loadBullMq } from './bullmq/load-peers.ts'
import { type BullmqInboxOptions, checkBullmqOptions, checkMigrationOptions } from './bullmq/options.ts'
import { migratePostgres } from './bullmq/postgres-back-end.ts'
import { createBullmqQueue } from './bullmq/queue.ts'
import { createInbox } from './queue/create-inbox.ts'
import type { DeliveryQueue, InboxOptions, ScannedPage } from './queue/queue.ts'

export type { BullmqInboxOptions, InboxOptions }

/**
 * A durable inbox in Redis or PostgreSQL through BullMQ 6, for receivers and workers on any number of machines.
 *
 * - `redis` or `postgres`: exactly one of them, as a URL, as options, or as a client or a pool of yours. The inbox
 *   connects on first use and reconnects by itself. Install `bullmq`, and `ioredis` or `pg`.
 * - `name` (default: `hooklayer`), `putTimeoutMs` (default: 2,500), `leaseMs` (default: 30,000), `pollMs`,
 *   `retentionMs` (default: 7 days), `maxQueued` (default: 100,000).
 * - For Redis: `prefix` (default: `bull`). For PostgreSQL: `transactionPooling` (default: false), `migrate` (default:
 *   true).
 *
 * Redis must run with `maxmemory-policy noeviction`, and loses what its persistence settings let it lose. PostgreSQL
 * loses nothing with `synchronous_commit = on`. The clocks of all machines must agree. Keep BullMQ out of a bundle: it
 * reads SQL files beside its code.
 *
 * @throws TypeError if an option is unknown, out of range or of the other engine, or if there is not exactly one of
 *   `redis` and `postgres`, which says where the engine is.
 * @example
 * const inbox = createBullmqInbox({ redis: 'redis://localhost' })
 * const receiver = createReceiver({ secrets, inbox })
 * const worker = createWorker({ receiver, inbox })
 * @see docs/durable-inbox.md
 */
export function createBullmqInbox(options: BullmqInboxOptions): Inbox {
  const checked = checkBullmqOptions(options)
  const { lanes, safely, close } = createConnection(() => openLanes(checked))
  const queue = createBullmqQueue(lanes, checked)
  const readSafely = async (read: () => Promise<ScannedPage>): Promise<ScannedPage> => {
    const { next, ...page } = await safely(read)()
    return { ...page, next: next && (() => readSafely(next)) }
  }
  const safeQueue: DeliveryQueue = {
    put: safely((delivery) => withTimeout(queue.put(delivery), checked.putTimeoutMs, timeoutError)),
    // On PostgreSQL each request waits for the disk: fewer are better than earlier ones.
    ...(options.redis !== undefined && { leasedAtOnce: TAKEN_AT_ONCE }),
    lease: safely(queue.lease),
    renew: safely(queue.renew),
    settle: safely(queue.settle),
    waitForWork: queue.waitForWork,
    listDeadLetters: safely(queue.listDeadLetters),
    getDeadLetter: safely(queue.getDeadLetter),
    retryDeadLetter: safely(queue.retryDeadLetter),
    discardDeadLetter: safely(queue.discardDeadLetter),
    scan: (after) => readSafely(() => queue.scan(after)),
    readBody: safely(queue.readBody),
    erase: safely(queue.erase),
    statistics: safely(queue.statistics),
    close,
  }
  return createInbox(safeQueue, checked.leaseMs)
}

/**
 * Creates or updates the tables of {@link createBullmqInbox} in PostgreSQL: the schema `bullmq`. Run it as a role that
 * may create them, before processes with `migrate: false` start. Several at the same time wait for each other.
 *
 * @param options `postgres` and `transactionPooling`, as for the inbox.
 * @throws TypeError if an option is unknown or wrong.
 * @throws Error if PostgreSQL does not answer, or refuses.
 * @example
 * await migrateBullmqInbox({ postgres: process.env.ADMIN_DATABASE_URL })
 */
export async function migrateBullmqInbox(
  options: Pick<BullmqInboxOptions, 'postgres' | 'transactionPooling'>,
): Promise<void> {
  const checked = checkMigrationOptions(options)
  await migratePostgres(checked, await loadBullMq())
}

function timeoutError(): Error {
  return new Error('The engine did not answer within `putTimeoutMs`.')
}
