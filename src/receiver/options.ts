import { checkMethods, checkOptions } from '../core/check-options.ts'
import type { IdempotencyOptions } from '../core/idempotency/idempotency.ts'
import type { Inbox } from '../core/inbox/inbox.ts'
import type { Logger } from '../core/logger.ts'
import type { SecretsOption } from '../core/verify/secrets.ts'

export interface ReceiverOptions {
  /** The webhooks' shared secrets: a map by topic, a look-up by topic, or one for everything (a string, or a list to rotate). */
  readonly secrets: SecretsOption
  /** Milliseconds from the arrival of a request to its answer at the latest; default 4,000. The sender waits 5,000. */
  readonly deadlineMs?: number
  /** The largest body that is read, in bytes; default 5 MiB. An order of 50 line items has 280 KB. */
  readonly maxBodyBytes?: number
  /** Milliseconds within which a body must have arrived; default 4,000. */
  readonly bodyTimeoutMs?: number
  /** How many deliveries may be under way at once; default 1,000. Beyond that they are answered 503 before their body is read. */
  readonly maxInFlight?: number
  /** Handles each event once, across processes and crashes. Default: none, and an event that is delivered twice is handled twice. */
  readonly idempotency?: IdempotencyOptions
  /**
   * Stores each verified delivery and answers 202 at once; a worker (`createWorker`) runs the handlers. Default: none, and the
   * handlers run before the answer.
   */
  readonly inbox?: Pick<Inbox, 'put'>
  /** `resource` hands out the deliveries of one resource one after another. Needs an inbox. Default: `none`. */
  readonly ordering?: 'none' | 'resource'
  /**
   * When deliveries go to the inbox. `always` stores each of them. `on-failures` runs the handlers before the answer, and stores
   * the deliveries of a topic for a minute once 20 in a row have failed: after 30 Commerce Layer stops sending. Default: `always`.
   */
  readonly inboxMode?: 'always' | 'on-failures'
  /** Default: warnings and errors to the console. */
  readonly logger?: Logger
}

const DEFAULTS = {
  deadlineMs: 4000,
  maxBodyBytes: 5 * 1024 * 1024,
  bodyTimeoutMs: 4000,
  maxInFlight: 1000,
  ordering: 'none' as 'none' | 'resource',
  inboxMode: 'always' as 'always' | 'on-failures',
}

/** The options that have defaults, with them. */
export function checkReceiverOptions({
  secrets,
  idempotency,
  inbox,
  logger,
  ...given
}: ReceiverOptions): typeof DEFAULTS {
  const settings = checkOptions('createReceiver', given, DEFAULTS, {
    ordering: ['none', 'resource'],
    inboxMode: ['always', 'on-failures'],
  })
  if (inbox) checkMethods('inbox', inbox, ['put'])
  else if (settings.ordering !== 'none' || settings.inboxMode !== 'always') {
    throw new TypeError('`ordering` and `inboxMode` need an `inbox`.')
  }
  return settings
}
