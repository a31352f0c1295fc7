import { z } from 'zod'
import type { Logger, SecretsLookUp } from '../../index.ts'
import { checkSchema, logger, milliseconds } from '../../schema/check-schema.ts'
import { url } from '../resources/arguments.ts'
import { findWebhooks, groupSecrets, type WebhooksApi } from './webhooks-by-url.ts'

export interface SecretsOptions {
  /** The URL that the webhooks call, exactly as they have it. */
  readonly callbackUrl: string
  /** After how many milliseconds the next delivery has the secrets read again; default one hour. */
  readonly refreshMs?: number | undefined
  /** Gets a warning when the secrets cannot be read again. Default: the console. */
  readonly logger?: Pick<Logger, 'warn'> | undefined
}

const OPTIONS = z.strictObject({
  callbackUrl: url,
  refreshMs: milliseconds.optional(),
  logger: logger.optional(),
})

const HOUR_MS = 3_600_000

/** The least time between two reads that mismatches cause, such as forgeries or topics without a webhook. */
const MISMATCH_MS = 60_000

/** The pause after a read that failed, so that many deliveries at once do not become as many requests. */
const FAILURE_MS = 1_000

/** Implements `management.secrets`. */
export function createSecretsLookUp(api: WebhooksApi, options: SecretsOptions): SecretsLookUp {
  const { callbackUrl, refreshMs = HOUR_MS, logger = console } = checkSchema('secrets', OPTIONS, options)
  let known: Map<string, string[]> | undefined
  /** What the last read added, for deliveries whose look-up came just before it. */
  let added = new Map<string, string[]>()
  let reading: Promise<void> | undefined
  let readAt = Number.NEGATIVE_INFINITY
  let refreshedAt = Number.NEGATIVE_INFINITY
  let failure: { readonly error: unknown; readonly at: number } | undefined

  async function read(): Promise<void> {
    try {
      const { webhooks } = await findWebhooks(api, callbackUrl, {})
      const found = groupSecrets(webhooks)
      added = known ? findAdded(found, known) : new Map()
      known = found
      readAt = performance.now()
      failure = undefined
    } catch (error) {
      // Without known secrets the delivery fails, and the receiver logs why.
      if (known && !failure) warn(error)
      failure = { error, at: performance.now() }
      throw error
    } finally {
      reading = undefined
    }
  }

  function warn(error: unknown): void {
    const { code, message } = Object(error)
    try {
      // The code is in the text too: not every logger takes a message and fields.
      logger.warn(`The secrets could not be read again, so the known ones stay in use: ${code}: ${message}`, { code })
    } catch {
      // An error of the logger cannot be logged.
    }
  }

  function readOnce(): Promise<void> {
    reading ??= read()
    return reading
  }

  const hasJustFailed = () => failure !== undefined && performance.now() - failure.at < FAILURE_MS

  async function lookUp(topic: string): Promise<string[] | undefined> {
    if (!known) {
      if (hasJustFailed()) throw failure?.error
      await readOnce()
    } else if (performance.now() - readAt >= refreshMs && !hasJustFailed()) {
      readOnce().catch(() => {}) // The known secrets stay in use, and a later delivery tries again.
    }
    return known?.get(topic)
  }

  async function refresh(topic: string): Promise<string[] | undefined> {
    const isDue = performance.now() - refreshedAt >= MISMATCH_MS
    if (isDue) refreshedAt = performance.now()
    if (isDue || reading) await readOnce()
    return added.get(topic)
  }

  return Object.assign(lookUp, { refresh })
}

function findAdded(found: ReadonlyMap<string, string[]>, known: ReadonlyMap<string, string[]>): Map<string, string[]> {
  const entries = [...found].map(([topic, secrets]): [string, string[]] => [
    topic,
    secrets.filter((secret) => !known.get(topic)?.includes(secret)),
  ])
  return new Map(entries.filter(([, secrets]) => secrets.length > 0))
}
