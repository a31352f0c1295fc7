import type { IncomingMessage } from 'node:http'
import { checkMethods, checkOptions, type OptionRule, oneOf, wrongOption } from '../../core/check-options.ts'
import { defaultLogger, type SafeLogger, safeLogger } from '../../core/logger.ts'
import type { LoggerLike } from '../../drivers.ts'
import type { Emulator } from '../../emulator/index.ts'
import type { Inbox, Receiver } from '../../index.ts'
import type { Management } from '../../management/index.ts'
import type { Recorder } from '../../recorder/recorder.ts'

type MaybePromise<T> = T | Promise<T>

/** What the dashboard reads from a recorder. */
export type RecorderReader = Pick<Recorder, 'list' | 'get' | 'statistics' | 'subscribe'>

/**
 * Decides whether a request may see the dashboard: `true`, or a response such as a redirect to a login. Anything else
 * is answered 403.
 *
 * @param request the request without its body: URL, method, headers and so cookies.
 * @param incoming Node's request, where the dashboard is served by its `listener`: what a session middleware has added
 * is on it.
 */
export type Authorize = (
  request: Request,
  incoming: IncomingMessage | undefined,
) => MaybePromise<boolean | Response | undefined>

type HolderNames = 'markets' | 'shippingMethods' | 'externalPromotions' | 'externalTaxCalculators'

/** The options of {@link createDashboard}. `authorize` and one of the first four are needed. */
export interface DashboardOptions {
  /** A recorder of `hooklayer/recorder`: deliveries and health. */
  readonly recorder?: Pick<Recorder, 'list' | 'get' | 'statistics' | 'subscribe'> | undefined
  /** The inbox: what waits and dead letters, which can be retried and discarded. */
  readonly inbox?: Pick<Inbox, 'list' | 'deadLetters' | 'statistics'> | undefined
  /** A client of `hooklayer/management`: the webhooks with circuits and calls, and what holds external resources. */
  readonly management?: Pick<Management, 'health' | 'plan' | 'webhooks' | 'eventCallbacks' | HolderNames> | undefined
  /** An emulator, while you develop: its webhooks and holders, to trigger deliveries, send them again, and ask. */
  readonly emulator?: Emulator | undefined
  /** The receiver: to run its handlers again for a delivery, and to compare them with the webhooks. */
  readonly receiver?: Pick<Receiver, 'redeliver' | 'subscriptions'> | undefined
  /** The URL that the webhooks of the receiver call, to compare them with the handlers. */
  readonly callbackUrl?: string | undefined
  /** Who may see the dashboard, and change what can be changed there. Called for each request, scripts included. */
  readonly authorize: Authorize
  /**
   * The path at which the dashboard is mounted, as the browser sees it. Default: `/`; in Express, where it is mounted.
   */
  readonly path?: string | undefined
  /**
   * Whether personal data is masked: in documents, headers and the messages of errors. Default: `true`. What the
   * recorder has masked stays so.
   */
  readonly redact?: boolean | undefined
  /**
   * What the page's token is made from, 16 characters or more: the same for all processes behind one address. Default:
   * random, so that a page works with the process only that it came from.
   */
  readonly key?: string | undefined
  /** Gets what fails behind the dashboard, such as an inbox that is down. Default: the console. */
  readonly logger?: LoggerLike | undefined
}

/** The options once they are checked. */
export interface Settings extends Omit<DashboardOptions, 'logger' | 'redact'> {
  readonly redact: boolean
  readonly logger: SafeLogger
}

const OWNER = 'createDashboard'

const path: OptionRule<string | undefined> = {
  fallback: undefined,
  expected: 'a path such as /hooklayer',
  isValid: (value) => typeof value === 'string' && /^\/([\w.~-]+\/?)*$/.test(value) && !OWN_PATH.test(value),
}

/** A mount at one of these could not be told from a call. */
const OWN_PATH =
  /^\/(api|assets)(\/(setup|deliveries|inbox|jobs|webhooks|holders|answers|plan|trigger|health|live))?\/?$/

const key: OptionRule<string | undefined> = {
  fallback: undefined,
  expected: 'text of 16 characters or more',
  isValid: (value) => typeof value === 'string' && value.length >= 16,
}

const callbackUrl: OptionRule<string | undefined> = {
  fallback: undefined,
  expected: 'a URL',
  isValid: (value) => typeof value === 'string' && URL.canParse(value),
}

const RULES = { path, key, callbackUrl, redact: oneOf(true, false) }

/** What each source must be able to do. */
const METHODS = {
  recorder: ['list', 'get', 'statistics', 'subscribe'],
  inbox: ['list', 'statistics'],
  management: ['health', 'plan'],
  emulator: ['trigger', 'send'],
  receiver: ['redeliver', 'subscriptions'],
} as const

const SOURCES = ['recorder', 'inbox', 'management', 'emulator'] as const

/** @throws TypeError that names the option which is missing, unknown or wrong. */
export function checkDashboardOptions(options: DashboardOptions): Settings {
  const others = [...Object.keys(METHODS), 'authorize', 'logger']
  const checked = checkOptions(OWNER, options, RULES, others)
  for (const [name, methods] of Object.entries(METHODS)) {
    const source = options[name as keyof typeof METHODS]
    if (source !== undefined) checkMethods(name, source, methods)
  }
  if (SOURCES.every((name) => options[name] === undefined)) {
    throw new TypeError(`${OWNER}: give one of \`${SOURCES.join('`, `')}\`, so that there is something to see.`)
  }
  if (typeof options.authorize !== 'function') {
    const needed = 'is needed, a function that says who may see the dashboard: `(request) => isAdmin(request)`'
    throw wrongOption(OWNER, 'authorize', needed)
  }
  return { ...options, ...checked, logger: safeLogger(options.logger ?? defaultLogger) }
}
