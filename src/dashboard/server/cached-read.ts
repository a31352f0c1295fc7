/** What is read from the API costs some requests, and the API limits them. */
const MAX_AGE_MS = 5000
/** The client waits for its rate limit for up to two minutes. Nobody looks at a page for so long. */
export const API_TIMEOUT_MS = 15_000

/** Something that is read once in five seconds, whoever asks. */
export interface CachedRead<T> {
  get(): Promise<T>
  /** What was read is not right any more. */
  invalidate(): void
}

/** A failure is told to all who wait for it, and is not kept. */
export function createCachedRead<T>(read: () => Promise<T>): CachedRead<T> {
  let kept: { readonly value: Promise<T>; readonly until: number } | undefined
  function invalidate(): void {
    kept = undefined
  }
  return {
    get() {
      if (kept && kept.until > Date.now()) return kept.value
      const value = read()
      kept = { value, until: Date.now() + MAX_AGE_MS }
      value.catch(invalidate)
      return value
    },
    invalidate,
  }
}
