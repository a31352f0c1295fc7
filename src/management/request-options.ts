export interface RequestOptions {
  /** Ends the call, its waits and retries included: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}
