import { randomBytes } from 'node:crypto'
import * as z from 'zod'
import { callback, checkSchema, flag, logger, milliseconds, oneOf, text, wholeNumber } from '../schema/check-schema.ts'
import { randomId } from '../wire/samples/ids.ts'
import type { EmulatedCall } from './emulated-records.ts'
import type { EmulatedAnswer } from './holders/ask.ts'
import type { SenderOptions } from './sender/sender.ts'

/** The options of `createEmulator`, including those of its sender. */
export interface EmulatorOptions extends Omit<SenderOptions, 'records' | 'mode' | 'organizationId' | 'onCall'> {
  /** The port on 127.0.0.1. Default: a free port. */
  readonly port?: number | undefined
  /** The slug of the organization: lower-case letters, digits and hyphens. Default: `my-org`. */
  readonly organization?: string | undefined
  /** The id of the organization. Default: ten random letters. */
  readonly organizationId?: string | undefined
  /** The client id of the only application, an integration. Default: random. */
  readonly clientId?: string | undefined
  /** The client secret of the only application. Default: random. */
  readonly clientSecret?: string | undefined
  /** The shared secret of all webhooks, 16 characters or more. Default: a random one for each. */
  readonly secret?: string | undefined
  /** The environment that tokens and payloads name. Default: `test`. */
  readonly mode?: 'test' | 'live' | undefined
  /** The lifetime of an access token in milliseconds. Default: two hours, as for integrations of Commerce Layer. */
  readonly tokenLifetimeMs?: number | undefined
  /** Whether the API has rate limits, and answers 429 above them. Default: `false`. */
  readonly rateLimit?: boolean | undefined
  /** Gets a warning when an event calls no webhook. Default: the console. */
  readonly logger?: { warn(message: string): void } | undefined
  /** The maximum number of event callbacks, and of events. The oldest are dropped. Default: 1,000. */
  readonly maxEventCallbacks?: number | undefined
  /**
   * Is called with each call to a webhook when it has ended: retries, and what only a fault caused, too. What it throws
   * is logged.
   */
  readonly onCall?: ((call: EmulatedCall) => void) | undefined
  /** Is called with each answer of an external resource, also where none came. What it throws is logged. */
  readonly onAnswer?: ((answer: EmulatedAnswer) => void) | undefined
}

/** `faults` is checked by the sender. */
export const OPTIONS = z.strictObject({
  port: wholeNumber(0, 65_535).default(0),
  organization: text.regex(/^[a-z0-9-]+$/, 'must be a slug such as my-org').default('my-org'),
  organizationId: text.default(randomId),
  clientId: text.default(() => randomBytes(32).toString('base64url')),
  clientSecret: text.default(() => randomBytes(32).toString('base64url')),
  secret: text.min(16, 'must have 16 characters or more').optional(),
  mode: oneOf('test', 'live').default('test'),
  tokenLifetimeMs: milliseconds.default(2 * 60 * 60 * 1000),
  rateLimit: flag.default(false),
  logger: logger.default(() => console),
  maxEventCallbacks: wholeNumber(1).default(1000),
  timeoutMs: milliseconds.optional(),
  retries: wholeNumber(0).optional(),
  retryDelayMs: callback<NonNullable<SenderOptions['retryDelayMs']>>().optional(),
  faults: z.custom<SenderOptions['faults']>().optional(),
  seed: wholeNumber(0).optional(),
  onCall: callback<NonNullable<EmulatorOptions['onCall']>>().optional(),
  onAnswer: callback<NonNullable<EmulatorOptions['onAnswer']>>().optional(),
})

/**
 * Returns all options with their defaults.
 *
 * @throws TypeError that names a wrong or unknown option.
 */
export function checkEmulatorOptions(options: EmulatorOptions): z.output<typeof OPTIONS> {
  return checkSchema('createEmulator', OPTIONS, options)
}
