import {
  type CheckedOptions,
  checkMethods,
  checkOptions,
  oneOf,
  orValue,
  positiveInteger,
  wrongOption,
} from '../core/check-options.ts'
import { fitBodies, REQUEST_LIMITS } from '../core/http/request-limits.ts'
import type { IdempotencyOptions } from '../core/idempotency/idempotency.ts'
import type { Inbox } from '../core/inbox/inbox.ts'
import type { VerifyStoredOptions } from '../core/inbox/stored-signatures.ts'
import type { LoggerLike } from '../core/logger.ts'
import type { Observer } from '../core/observed-events.ts'
import type { SecretsOption } from '../core/verify/secrets.ts'
import type { DeliveryRecorder } from './recording.ts'

export interface ReceiverOptions {
  /**
   * The shared secrets of the webhooks: a map by topic, a function of the topic, or one for all topics (a text, or a
   * list while one replaces another). {@link secretsFromEnv} reads them from the environment. In the place of a text,
   * `{ secret, organizationId, mode }` accepts the documents of one organization or mode only.
   */
  readonly secrets: SecretsOption
  /** Milliseconds from the arrival of a request to its answer. Commerce Layer waits 5,000. Default: 4,000. */
  readonly deadlineMs?: number | undefined
  /** The largest body that is read, in bytes. An order of 50 line items has 280 KB. Default: 5 MiB. */
  readonly maxBodyBytes?: number | undefined
  /** Milliseconds within which a body must have arrived. Default: 4,000. */
  readonly bodyTimeoutMs?: number | undefined
  /**
   * How many verified deliveries are in progress at once. More are answered 503 before their body is read. Default:
   * 1,000.
   */
  readonly maxInFlight?: number | undefined
  /**
   * How many bodies may be unfinished at once. With more, those of which nothing has arrived for 250 ms are answered
   * 408, and their connection is closed. Requests that arrive without delay are not counted out, whatever their number.
   * Default: 256.
   */
  readonly maxUnverified?: number | undefined
  /**
   * How many bytes of unfinished bodies are kept, but for one chunk of each. With more, bodies wait, and the largest is
   * answered 408 when none was finished for 250 ms. Not less than `maxBodyBytes`. Default: 64 MiB, or `maxBodyBytes` if
   * that is more.
   */
  readonly maxUnverifiedBytes?: number | undefined
  /**
   * Milliseconds for which the answer of an asynchronous `secrets` function is used for further deliveries of its
   * topic, so that forgeries do not cause a look-up each. A mismatch asks again, at most once a second. `none` keeps no
   * answer. Default: 1,000.
   */
  readonly secretsCacheMs?: number | 'none' | undefined
  /**
   * Milliseconds after the `updated_at` of its resource, which is signed, for which a delivery is handled. An older one
   * is acknowledged as `discarded`, because it may be a captured delivery that is sent again. Stored and redelivered
   * ones are never too old. It must be longer than Commerce Layer retries. Default: no limit.
   */
  readonly maxAgeMs?: number | undefined
  /**
   * Handles each event once, across processes and crashes. Default: none; the handlers run for each repeated delivery.
   */
  readonly idempotency?: IdempotencyOptions | undefined
  /**
   * Stores each verified delivery and answers 202 at once; a worker (`createWorker`) runs the handlers. Default: none;
   * the handlers run before the answer.
   */
  readonly inbox?: Pick<Inbox, 'put'> | undefined
  /** `resource` handles the deliveries of one resource one after another. Needs an inbox. Default: `none`. */
  readonly ordering?: 'none' | 'resource' | undefined
  /**
   * When deliveries go to the inbox. `always` stores each of them. `on-failures` runs the handlers before the answer.
   * Once 20 deliveries of a topic in a row have failed, it stores that topic's deliveries for a minute. Commerce Layer
   * stops sending after 30 failures. Default: `always`.
   */
  readonly inboxMode?: 'always' | 'on-failures' | undefined
  /**
   * Signs stored deliveries with a key of your own, and verifies them before they are handled: `{ key }`. Processes
   * with a worker only need it too. Default: what an inbox hands out is trusted.
   */
  readonly verifyStored?: VerifyStoredOptions | undefined
  /**
   * Anything with `warn` and `error`: pino, winston, bunyan, Nest's `Logger` and `console` get messages, fields and
   * errors as they take them. Default: warnings and errors to the console.
   */
  readonly logger?: LoggerLike | undefined
  /**
   * Are told what happens to deliveries, and may run each handler in a span or a scope of their own. Workers report to
   * those of their receiver. Default: none.
   */
  readonly observers?: readonly Observer[] | undefined
  /**
   * Is told of each attempt when it has ended, with its body: `createRecorder` of `hooklayer/recorder`, or your own.
   * Workers report to that of their receiver. Default: none.
   */
  readonly recorder?: DeliveryRecorder | undefined
}

const RULES = {
  ...REQUEST_LIMITS,
  deadlineMs: positiveInteger(4000),
  secretsCacheMs: orValue(positiveInteger(1000), 'none'),
  maxAgeMs: positiveInteger(Number.POSITIVE_INFINITY),
  ordering: oneOf('none', 'resource'),
  inboxMode: oneOf('always', 'on-failures'),
}

/** Options that are checked elsewhere. */
const OTHERS = ['secrets', 'idempotency', 'inbox', 'verifyStored', 'logger', 'observers', 'recorder']

/** @throws TypeError if an option is unknown or out of range, or needs an inbox and there is none. */
export function checkReceiverOptions(options: ReceiverOptions): CheckedOptions<typeof RULES> {
  const settings = checkOptions('createReceiver', options, RULES, OTHERS)
  if (options.recorder) checkMethods('recorder', options.recorder, ['record'])
  if (options.inbox) checkMethods('inbox', options.inbox, ['put'])
  else {
    for (const name of ['ordering', 'inboxMode'] as const) {
      if (settings[name] !== RULES[name].fallback) throw wrongOption('createReceiver', name, 'needs an `inbox`')
    }
  }
  return fitBodies('createReceiver', options, settings)
}
