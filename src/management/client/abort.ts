export interface RequestOptions {
  /** Cancels the call, its waits and retries included: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Settles as the promise does, or rejects with the signal's reason as soon as that is aborted. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  // A signal of our own: Node warns of more than ten listeners, and many calls may share the caller's.
  const own = AbortSignal.any([signal])
  return new Promise((resolve, reject) => {
    const abort = () => reject(own.reason)
    if (own.aborted) abort()
    own.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => own.removeEventListener('abort', abort))
  })
}

/** Resolves after `ms` milliseconds, or rejects with the signal's reason before. Leaves no timer behind. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await unlessAborted(passed, signal).finally(() => clearTimeout(timer))
}
