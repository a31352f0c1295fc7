import { z } from 'zod'
import type { SecretsLookUp } from '../../index.ts'
import { checkArguments, url } from '../resources/arguments.ts'
import { findWebhooks, groupSecrets, type WebhooksApi } from './webhooks-by-url.ts'

export interface SecretsFromOptions {
  /** The URL that the webhooks call, exactly as they have it. */
  readonly callbackUrl: string
  /** Milliseconds after which the secrets are read anew, at the next delivery; default one hour. */
  readonly refreshMs?: number | undefined
}

const OPTIONS = z.strictObject({
  callbackUrl: url,
  refreshMs: z.number('is not a number of milliseconds').positive('is not over 0').optional(),
})

const HOUR_MS = 3_600_000

/** How often forgeries, or topics that nobody has subscribed to, can make it read. */
const MISMATCH_MS = 60_000

/** How long a failed read is left alone: a burst of deliveries must not become a burst of requests. */
const FAILURE_MS = 1_000

/**
 * Makes the `secrets` of a receiver out of what the API says: the shared secret of each webhook that calls `callbackUrl`, by topic.
 *
 * They are read once, when the first delivery comes, and kept. A signature that does not match, or a topic that has no webhook, has
 * them read again, at most once a minute; so a webhook that was made or made anew is known by its first deliveries. After `refreshMs`
 * the next delivery has them read behind its back: what is known serves until then, and as long as the API fails, so that an API
 * that is slow or down costs no delivery. A secret that was withdrawn counts for that long.
 *
 * Deliveries that need the same read share it. While the secrets have never been read, a read that fails is answered
 * `STORE_UNAVAILABLE` for a second; then the next delivery tries again.
 *
 * @throws TypeError if an option is not usable.
 */
export function secretsFrom(api: WebhooksApi, options: SecretsFromOptions): SecretsLookUp {
  const { callbackUrl, refreshMs = HOUR_MS } = checkArguments('secretsFrom', OPTIONS, options)
  let known: Map<string, string[]> | undefined
  /** What the last read brought, for deliveries that were looked up just before it. */
  let news = new Map<string, string[]>()
  let reading: Promise<void> | undefined
  let readAt = Number.NEGATIVE_INFINITY
  let refreshedAt = Number.NEGATIVE_INFINITY
  let failure: { readonly error: unknown; readonly at: number } | undefined

  async function read(): Promise<void> {
    try {
      const found = groupSecrets(await findWebhooks(api, callbackUrl, {}))
      news = known ? newIn(found, known) : new Map()
      known = found
      readAt = performance.now()
      failure = undefined
    } catch (error) {
      failure = { error, at: performance.now() }
      throw error
    } finally {
      reading = undefined
    }
  }

  function readTogether(): Promise<void> {
    reading ??= read()
    return reading
  }

  const hasJustFailed = () => failure !== undefined && performance.now() - failure.at < FAILURE_MS

  async function lookUp(topic: string): Promise<string[] | undefined> {
    if (!known) {
      if (hasJustFailed()) throw failure?.error
      await readTogether()
    } else if (performance.now() - readAt >= refreshMs && !hasJustFailed()) {
      readTogether().catch(() => {}) // What is known serves, and the next delivery tries again.
    }
    return known?.get(topic)
  }

  async function refresh(topic: string): Promise<string[] | undefined> {
    const isDue = performance.now() - refreshedAt >= MISMATCH_MS
    if (isDue) refreshedAt = performance.now()
    if (isDue || reading) await readTogether()
    return news.get(topic)
  }

  return Object.assign(lookUp, { refresh })
}

function newIn(found: ReadonlyMap<string, string[]>, known: ReadonlyMap<string, string[]>): Map<string, string[]> {
  const entries = [...found].map(([topic, secrets]): [string, string[]] => [
    topic,
    secrets.filter((secret) => !known.get(topic)?.includes(secret)),
  ])
  return new Map(entries.filter(([, secrets]) => secrets.length > 0))
}
