/** What is read from the API costs some requests, and the API limits them. */
const MAX_AGE_MS = 5000
/** The client waits for its rate limit for up to two minutes. Nobody looks at a page for so long. */
export const API_TIMEOUT_MS = 15_000

/** Something that is read once, whoever asks, until it is five seconds old. */
export interface CachedRead<T> {
  get(): Promise<T>
  /** What was read is not right any more. */
  invalidate(): void
}

/**
 * Whoever asks while it is read waits for the same answer, however long it takes: a page that is reloaded while the
 * API holds requests back must not add to them. A failure is told to all who wait for it, and is not kept.
 */
export function createCachedRead<T>(read: () => Promise<T>): CachedRead<T> {
  let kept: { readonly value: Promise<T>; until: number } | undefined
  return {
    get() {
      if (kept && kept.until > Date.now()) return kept.value
      const reading = { value: read(), until: Number.POSITIVE_INFINITY }
      kept = reading
      reading.value.then(
        () => {
          reading.until = Date.now() + MAX_AGE_MS
        },
        () => {
          reading.until = 0
        },
      )
      return reading.value
    },
    invalidate() {
      kept = undefined
    },
  }
}
