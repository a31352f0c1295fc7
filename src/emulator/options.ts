import { randomBytes } from 'node:crypto'
import * as z from 'zod'
import { randomId } from '../wire/samples/ids.ts'
import type { SenderOptions } from './sender/sender.ts'

/** The options of `createEmulator`, including those of its sender. */
export interface EmulatorOptions extends Omit<SenderOptions, 'records' | 'mode' | 'organizationId'> {
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
  /** The environment that tokens and payloads name. Default: `test`. */
  readonly mode?: 'test' | 'live' | undefined
  /** The lifetime of an access token in milliseconds. Default: two hours, as for integrations of Commerce Layer. */
  readonly tokenLifetimeMs?: number | undefined
  /** Whether the API has rate limits, and answers 429 above them. Default: `false`. */
  readonly rateLimit?: boolean | undefined
  /** The maximum number of event callbacks, and of events. The oldest are dropped. Default: 1,000. */
  readonly maxEventCallbacks?: number | undefined
}

const milliseconds = z.number('has to be a number of milliseconds.').positive('has to be more than 0.')
const text = z.string('has to be a string.').min(1, 'is empty.')
const count = (min: number, max = Number.MAX_SAFE_INTEGER) => {
  const message =
    max === Number.MAX_SAFE_INTEGER
      ? `has to be a whole number, ${min} or more.`
      : `has to be a whole number from ${min} to ${max}.`
  return z.int(message).min(min, message).max(max, message)
}

/** `faults` is checked by the sender. */
const OPTIONS = z.strictObject({
  port: count(0, 65_535).default(0),
  organization: text
    .regex(/^[a-z0-9-]+$/, 'has to be a slug: lower-case letters, digits and hyphens.')
    .default('my-org'),
  organizationId: text.default(randomId),
  clientId: text.default(() => randomBytes(32).toString('base64url')),
  clientSecret: text.default(() => randomBytes(32).toString('base64url')),
  mode: z.enum(['test', 'live'], 'is either `test` or `live`.').default('test'),
  tokenLifetimeMs: milliseconds.default(2 * 60 * 60 * 1000),
  rateLimit: z.boolean('is either true or false.').default(false),
  maxEventCallbacks: count(1).default(1000),
  timeoutMs: milliseconds.optional(),
  retries: count(0).optional(),
  retryDelayMs: z
    .custom<SenderOptions['retryDelayMs']>(
      (value) => typeof value === 'function',
      'has to be a function of the attempt.',
    )
    .optional(),
  faults: z.custom<SenderOptions['faults']>().optional(),
  seed: count(0).optional(),
})

/**
 * Returns all options with their defaults.
 *
 * @throws TypeError that names a wrong or unknown option.
 */
export function checkOptions(options: EmulatorOptions): z.output<typeof OPTIONS> {
  const checked = OPTIONS.safeParse(options)
  if (checked.success) return checked.data
  const [issue] = checked.error.issues
  if (issue?.code === 'unrecognized_keys')
    throw new TypeError(`\`${issue.keys.join('`, `')}\`: there is no such option.`)
  throw new TypeError(
    issue && issue.path.length > 0 ? `\`${issue.path.join('.')}\` ${issue.message}` : 'Options are an object.',
  )
}
