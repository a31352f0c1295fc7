import { checkOptions, matching, positiveInteger } from '../core/check-options.ts'
import { withTimeout } from '../core/deadline.ts'
import type { Inbox } from '../core/inbox/inbox.ts'
import { createConnection } from './bullmq/connection.ts'
import { openLanes } from './bullmq/lanes.ts'
import { createBullmqQueue } from './bullmq/queue.ts'
import { createInbox } from './queue/create-inbox.ts'
import { type DeliveryQueue, INBOX_RULES, type InboxOptions } from './queue/queue.ts'

export type { InboxOptions }

export interface BullmqInboxOptions extends InboxOptions {
  /**
   * Redis: a URL `redis://…`, or options of ioredis without those for reconnecting, time-outs and queueing. No cluster.
   */
  readonly redis?: string | Readonly<Record<string, unknown>>
  /** Or PostgreSQL: a URL `postgres://…`, or options of a `pg.Pool` without `options` and time-outs. */
  readonly postgres?: string | Readonly<Record<string, unknown>>
  /** The name of the inbox, the same in all processes: letters, digits, `_`, `.` and `-`. Default: `hooklayer`. */
  readonly name?: string | undefined
  /**
   * Milliseconds after which storing fails and the sender is answered 503. If the delivery is stored after all, the
   * sender's next attempt is a duplicate. Default: 2,500.
   */
  readonly putTimeoutMs?: number | undefined
  /**
   * Milliseconds after which a delivery of a lost worker may be leased by another; that happens within twice this time.
   * Workers renew their leases, so it must be longer than their event loop ever blocks. Default: 30,000.
   */
  readonly leaseMs?: number | undefined
}

const RULES = {
  ...INBOX_RULES,
  name: matching('hooklayer', /^[\w.-]+$/, 'text of letters, digits, `_`, `.` and `-`'),
  putTimeoutMs: positiveInteger(2500),
}

const POLL_MS = 250

/**
 * A durable inbox in Redis or PostgreSQL through BullMQ 6, for receivers and workers on any number of machines.
 *
 * - `redis` or `postgres`: exactly one of them. The inbox connects on first use and reconnects by itself. Install
 *   `bullmq`, and `ioredis` or `pg`.
 * - `name` (default: `hooklayer`), `putTimeoutMs` (default: 2,500), `leaseMs` (default: 30,000), `retentionMs`
 *   (default: 7 days), `maxQueued` (default: 100,000).
 *
 * Redis must run with `maxmemory-policy noeviction`, and loses what its persistence settings let it lose. PostgreSQL
 * loses nothing with `synchronous_commit = on`. The clocks of all machines must agree. Keep BullMQ out of a bundle: it
 * reads SQL files beside its code.
 *
 * @throws TypeError if an option is unknown or out of range, or if there is not exactly one of `redis` and `postgres`.
 * @example
 * const inbox = createBullmqInbox({ redis: 'redis://localhost' })
 * const receiver = createReceiver({ secrets, inbox })
 * const worker = createWorker({ receiver, inbox })
 * @see docs/durable-inbox.md
 */
export function createBullmqInbox(options: BullmqInboxOptions): Inbox {
  const limits = checkOptions('createBullmqInbox', options, RULES, ['redis', 'postgres'])
  const { redis, postgres } = options
  if ((redis === undefined) === (postgres === undefined)) {
    throw new TypeError('createBullmqInbox needs either `redis` or `postgres`.')
  }
  const { lanes, safely, close } = createConnection(() => openLanes({ redis, postgres, ...limits }))
  const queue = createBullmqQueue(lanes, { ...limits, pollMs: POLL_MS })
  const safeQueue: DeliveryQueue = {
    put: safely((delivery) => withTimeout(queue.put(delivery), limits.putTimeoutMs, timeoutError)),
    lease: safely(queue.lease),
    renew: safely(queue.renew),
    settle: safely(queue.settle),
    waitForWork: queue.waitForWork,
    listDeadLetters: safely(queue.listDeadLetters),
    getDeadLetter: safely(queue.getDeadLetter),
    retryDeadLetter: safely(queue.retryDeadLetter),
    discardDeadLetter: safely(queue.discardDeadLetter),
    statistics: safely(queue.statistics),
    close,
  }
  return createInbox(safeQueue, limits.leaseMs)
}

function timeoutError(): Error {
  return new Error('The engine did not answer within `putTimeoutMs`.')
}
