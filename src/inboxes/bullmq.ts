import { checkValue } from '../core/check-options.ts'
import { withTimeout } from '../core/deadline.ts'
import type { Inbox } from '../core/inbox/inbox.ts'
import { createConnection } from './bullmq/connection.ts'
import { openLanes } from './bullmq/lanes.ts'
import { createBullmqQueue } from './bullmq/queue.ts'
import { createInbox } from './queue/create-inbox.ts'
import { checkInboxOptions, type DeliveryQueue, type InboxOptions } from './queue/queue.ts'

export type { InboxOptions }

export interface BullmqInboxOptions extends InboxOptions {
  /** Where Redis is: `redis://…`, or options of ioredis, but for those by which it waits and tries again. No cluster. */
  readonly redis?: string | Readonly<Record<string, unknown>>
  /** Or where PostgreSQL is: `postgres://…`, or options of a `pg.Pool`, but for `options` and its time-outs. */
  readonly postgres?: string | Readonly<Record<string, unknown>>
  /** By which all processes know the inbox, of letters, digits, `_`, `.` and `-`. Default: `hooklayer`. */
  readonly name?: string
  /**
   * Milliseconds after which storing is given up, which answers 503. If it happens all the same, the sender's next try is a
   * duplicate. Default: 2,500.
   */
  readonly putTimeoutMs?: number
  /**
   * Milliseconds after which a delivery of a worker that was killed may be handed to another, which happens within as many again;
   * renewed while a worker lives, and to be longer than its event loop ever stands still. Default: 30,000.
   */
  readonly leaseMs?: number
}

/**
 * An inbox in Redis or PostgreSQL, by way of BullMQ 6: `createBullmqInbox({ redis: 'redis://localhost' })` or
 * `createBullmqInbox({ postgres: 'postgres://localhost/shop' })`. For receivers and workers on as many machines as you like, whose
 * clocks agree. Install `bullmq`, and `ioredis` or `pg` with it. It connects on first use, with one connection or one pool, and
 * again whenever it has to. Keep BullMQ out of a bundle (`serverExternalPackages: ['bullmq']` in Next): it reads SQL files that lie
 * beside its code.
 *
 * **Redis** vouches for no more than its settings do. With `appendonly yes` and `appendfsync always` nothing is lost; with `everysec`
 * what was acknowledged in the last second or two before a power cut is, and without `appendonly` all since the last snapshot;
 * a fail-over to a replica may lose what had not reached it. `maxmemory-policy` must be `noeviction`: a worker tells its `onError`
 * once if it is not. A body is kept compressed until it is handled, an order in a fifth to a tenth of its size; an id that is
 * only known takes less than a kilobyte.
 *
 * **PostgreSQL** loses nothing with `synchronous_commit` at `on`, its default; at `off` it may lose what was acknowledged in the
 * last second before it crashed. BullMQ's tables are made in the schema `bullmq`, for which the user needs the right to create.
 *
 * - **Duplicates** are found by `delivery.id` in BullMQ's deduplication, atomically; what is handled or discarded is forgotten after
 *   `retentionMs`, a thousand in a minute, while a worker runs.
 * - **Retries** are BullMQ's delayed jobs, with the attempts and pauses of the worker; dead letters its failed jobs. A delivery whose
 *   worker was lost in its last attempt becomes one with the code `WORKER_LOST`, one whose body was damaged with `BODY_DAMAGED`.
 *   Discarding needs a moment of a worker if another delivery of the same lane is being handled, and until then it counts as queued.
 * - **Order.** What has a group is in one of eight lanes, by a digest of the group, and each lane handles one delivery at a time,
 *   over all workers: that is how many ordered deliveries are handled at once, and why a slow one holds up strangers. Those of a group wait
 *   while an earlier one waits for its next attempt, and others do not. It is lost where a worker is killed on PostgreSQL, whose delivery
 *   then comes after those that were waiting, and for deliveries that were stored before `ordering` was changed.
 * - **`concurrencyByTopic`.** What is over a topic's limit is set back for a tenth of a second, or up to ten of them if there is much
 *   of it; it counts as `failed` in the statistics as long, as does what waits for another of its group.
 * - **Figures.** `maxQueued` is compared with a count that may be a second old, and `oldest` looks at both ends only of what waits for
 *   its next attempt. A worker looks four times a second for what other processes have stored.
 *
 * @throws TypeError if an option is unknown or out of range, or there is not one of `redis` and `postgres`.
 */
export function createBullmqInbox(options: BullmqInboxOptions): Inbox {
  const { redis, postgres, name = 'hooklayer', putTimeoutMs = 2500, ...rest } = options
  const limits = checkInboxOptions('createBullmqInbox', rest, ['retentionMs', 'maxQueued', 'leaseMs'])
  check(options)
  const { lanes, safely, close } = createConnection(() => openLanes({ redis, postgres, name, ...limits }))
  const queue = createBullmqQueue(lanes, limits)
  const safe: DeliveryQueue = {
    put: safely((delivery) => withTimeout(queue.put(delivery), putTimeoutMs, tooLate)),
    lease: safely(queue.lease),
    renew: safely(queue.renew),
    settle: safely(queue.settle),
    listDeadLetters: safely(queue.listDeadLetters),
    getDeadLetter: safely(queue.getDeadLetter),
    retryDeadLetter: safely(queue.retryDeadLetter),
    discardDeadLetter: safely(queue.discardDeadLetter),
    statistics: safely(queue.statistics),
    close,
  }
  return createInbox(safe, limits.leaseMs)
}

function check({ redis, postgres, name = 'hooklayer', putTimeoutMs = 1 }: BullmqInboxOptions): void {
  if ((redis === undefined) === (postgres === undefined)) {
    throw new TypeError('createBullmqInbox needs either `redis` or `postgres`.')
  }
  if (typeof name !== 'string' || !/^[\w.-]+$/.test(name)) {
    throw new TypeError('createBullmqInbox: `name` must be of letters, digits, `_`, `.` and `-`.')
  }
  checkValue('createBullmqInbox', 'putTimeoutMs', putTimeoutMs)
}

function tooLate(): Error {
  return new Error('There was no answer within `putTimeoutMs`.')
}
