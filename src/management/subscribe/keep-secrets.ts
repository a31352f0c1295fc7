import type { Logger } from '../../index.ts'

interface KeepOptions {
  readonly refreshMs?: number | undefined
  readonly logger?: Pick<Logger, 'warn'> | undefined
}

interface KeptSecrets {
  (name: string): Promise<string[] | undefined>
  refresh(name: string): Promise<string[] | undefined>
}

const HOUR_MS = 3_600_000

/** The least time between two reads that mismatches cause, such as forgeries or topics without a webhook. */
const MISMATCH_MS = 60_000

/** The pause after a read that failed, so that many deliveries at once do not become as many requests. */
const FAILURE_MS = 1_000

/**
 * Keeps secrets that are read from the API: `read` gives all of them by their names. A look-up gives those of one name,
 * and `refresh` those that are new since.
 */
export function keepSecrets(
  read: () => Promise<Map<string, string[]>>,
  { refreshMs = HOUR_MS, logger = console }: KeepOptions,
): KeptSecrets {
  let known: Map<string, string[]> | undefined
  /** What the last read added, for deliveries whose look-up came just before it. */
  let added = new Map<string, string[]>()
  let reading: Promise<void> | undefined
  let readAt = Number.NEGATIVE_INFINITY
  let refreshedAt = Number.NEGATIVE_INFINITY
  let failure: { readonly error: unknown; readonly at: number } | undefined

  async function readAll(): Promise<void> {
    try {
      const found = await read()
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
    reading ??= readAll()
    return reading
  }

  const hasJustFailed = () => failure !== undefined && performance.now() - failure.at < FAILURE_MS

  async function lookUp(name: string): Promise<string[] | undefined> {
    if (!known) {
      if (hasJustFailed()) throw failure?.error
      await readOnce()
    } else if (performance.now() - readAt >= refreshMs && !hasJustFailed()) {
      readOnce().catch(() => {}) // The known secrets stay in use, and a later delivery tries again.
    }
    return known?.get(name)
  }

  async function refresh(name: string): Promise<string[] | undefined> {
    const isDue = performance.now() - refreshedAt >= MISMATCH_MS
    if (isDue) refreshedAt = performance.now()
    if (isDue || reading) await readOnce()
    return added.get(name)
  }

  return Object.assign(lookUp, { refresh })
}

function findAdded(found: ReadonlyMap<string, string[]>, known: ReadonlyMap<string, string[]>): Map<string, string[]> {
  const entries = [...found].map(([name, secrets]): [string, string[]] => [
    name,
    secrets.filter((secret) => !known.get(name)?.includes(secret)),
  ])
  return new Map(entries.filter(([, secrets]) => secrets.length > 0))
}
