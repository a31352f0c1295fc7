import {
  type CheckedOptions,
  checkOption,
  checkOptions,
  matching,
  oneOf,
  positiveInteger,
  wrongOption,
} from '../../core/check-options.ts'
import { INBOX_RULES, type InboxOptions } from '../queue/queue.ts'
import type { OpenBackEnd } from './back-end.ts'
import type { BullMq } from './load-peers.ts'
import { openPostgres } from './postgres-back-end.ts'
import { checkPostgres, type PostgresOption } from './postgres-option.ts'
import { openRedis } from './redis-back-end.ts'
import { checkRedis, type RedisOption } from './redis-option.ts'

export interface BullmqInboxOptions extends InboxOptions {
  /**
   * Redis: a URL `redis://…`, options of ioredis that say where it is, or a client of ioredis. No cluster. A client is
   * duplicated and stays yours to close. The inbox has its own options for reconnecting, time-outs and queueing.
   */
  readonly redis?: RedisOption | undefined
  /**
   * Or PostgreSQL: a URL `postgres://…`, options of `pg` that say where it is, or a `Pool` of `pg`. A pool is used as
   * it is and stays yours to close. The inbox has its own time-outs.
   */
  readonly postgres?: PostgresOption | undefined
  /**
   * The name of the inbox, the same in all its processes, and another for each service: letters, digits, `_`, `.` and
   * `-`. Default: `hooklayer`.
   */
  readonly name?: string | undefined
  /** What the keys on Redis begin with: letters, digits, `_`, `.` and `-`. Default: `bull`. */
  readonly prefix?: string | undefined
  /**
   * PostgreSQL is reached through a pooler that gives each transaction another connection: PgBouncer with `pool_mode =
   * transaction`, say. Workers poll then. Default: false.
   */
  readonly transactionPooling?: boolean | undefined
  /**
   * Whether the inbox creates and updates the tables in PostgreSQL when it connects. With `false` a role without the
   * right to create them will do, and `migrateBullmqInbox` does it. Default: true.
   */
  readonly migrate?: boolean | undefined
  /**
   * Milliseconds after which an idle worker looks for deliveries even if the engine has not told of any. Default:
   * 10,000 on Redis, 60,000 on PostgreSQL, and 1,000 with `transactionPooling`, where nothing is told.
   */
  readonly pollMs?: number | undefined
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

const NAME = /^[\w.-]+$/
const NAME_FORM = 'text of letters, digits, `_`, `.` and `-`'

const RULES = {
  ...INBOX_RULES,
  name: matching('hooklayer', NAME, NAME_FORM),
  prefix: matching('bull', NAME, NAME_FORM),
  putTimeoutMs: positiveInteger(2500),
  transactionPooling: oneOf(false, true),
  migrate: oneOf(true, false),
}

const FOR_REDIS = ['prefix'] as const
const FOR_POSTGRES = ['transactionPooling', 'migrate'] as const

/** How often an idle worker looks where the engine tells of new deliveries, and where it cannot. */
const POLL_MS = { redis: 10_000, postgres: 60_000, transactionPooling: 1000 }

export interface CheckedBullmqOptions extends CheckedOptions<typeof RULES> {
  readonly pollMs: number
  /** Opens the engine that was chosen. */
  readonly open: (bullmq: BullMq) => Promise<OpenBackEnd>
}

export function checkBullmqOptions(options: BullmqInboxOptions): CheckedBullmqOptions {
  const owner = 'createBullmqInbox'
  const checked = checkOptions(owner, options, RULES, ['redis', 'postgres', 'pollMs'])
  const isRedis = options.redis !== undefined
  if (isRedis === (options.postgres !== undefined)) {
    throw new TypeError(`${owner} needs either \`redis\` or \`postgres\`.`)
  }
  const foreign = (isRedis ? FOR_POSTGRES : FOR_REDIS).find((name) => options[name] !== undefined)
  if (foreign) throw wrongOption(owner, foreign, `is not an option for ${isRedis ? 'Redis' : 'PostgreSQL'}`)
  const engine = isRedis ? 'redis' : checked.transactionPooling ? 'transactionPooling' : 'postgres'
  const pollMs = checkOption(owner, 'pollMs', options.pollMs ?? POLL_MS[engine], positiveInteger(POLL_MS[engine]))
  if (isRedis) {
    const redis = checkRedis(owner, options.redis)
    return { ...checked, pollMs, open: (bullmq) => openRedis(redis, bullmq) }
  }
  const postgres = checkPostgres(owner, options.postgres)
  return { ...checked, pollMs, open: (bullmq) => openPostgres({ ...checked, postgres }, bullmq) }
}

export function checkMigrationOptions(options: Pick<BullmqInboxOptions, 'postgres' | 'transactionPooling'>): {
  readonly postgres: PostgresOption
  readonly transactionPooling: boolean
} {
  const owner = 'migrateBullmqInbox'
  const rules = { transactionPooling: RULES.transactionPooling }
  const { transactionPooling } = checkOptions(owner, options, rules, ['postgres'])
  return { postgres: checkPostgres(owner, options.postgres), transactionPooling }
}
