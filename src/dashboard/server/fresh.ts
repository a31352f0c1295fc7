/** What is read from the API costs some requests, and the API limits them. */
const FRESH_MS = 5000
/** The client waits for its rate limit for up to two minutes. Nobody looks at a page for so long. */
export const CALL_MS = 15_000

/** Something that is read once in five seconds, whoever asks. */
export interface Fresh<T> {
  get(): Promise<T>
  /** What was read is not right any more. */
  forget(): void
}

/** A failure is told to all who wait for it, and is not kept. */
export function createFresh<T>(read: () => Promise<T>): Fresh<T> {
  let kept: { readonly value: Promise<T>; readonly until: number } | undefined
  function forget(): void {
    kept = undefined
  }
  return {
    get() {
      if (kept && kept.until > Date.now()) return kept.value
      const value = read()
      kept = { value, until: Date.now() + FRESH_MS }
      value.catch(forget)
      return value
    },
    forget,
  }
}
